# SPDX-License-Identifier: GPL-3.0-or-later
"""Kamailio as the core network's registrar and record-routing proxy, TLS only.

One TCP worker: Debian 12's Kamailio crashes on concurrent new TLS connections with more.
"""

import os
import re
import socket
import subprocess
import time

from namespaces import CORE, LabError, stop

PREAMBLE = """#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
tcp_children=1
auto_aliases=no
alias="{domain}"
use_dns_cache=off
use_dns_failover=off
dns_srv_lb=off
dns_try_ipv6=off
tcp_connect_timeout=3
tcp_connection_lifetime=3605
disable_tcp=no
enable_tls=yes
listen=tls:{address}:5061
tcp_source_ipv4={address}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tls.so"
loadmodule "jsonrpcs.so"
loadmodule "kex.so"
loadmodule "corex.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "usrloc.so"
loadmodule "path.so"
loadmodule "registrar.so"
modparam("jsonrpcs", "transport", 0)
modparam("tls", "config", "{tls}")
modparam("usrloc", "db_mode", 0)
modparam("registrar", "use_path", 1)
modparam("registrar", "path_mode", 1)
modparam("registrar", "path_use_received", 0)
modparam("registrar", "max_contacts", 4)
modparam("registrar", "max_expires", 3600)
modparam("rr", "enable_full_lr", 1)
modparam("tm", "fr_timer", 8000)
modparam("tm", "fr_inv_timer", 60000)
modparam("xlog", "buf_size", 200000)
{sees_replies}
"""

TAKE_UP = """  {sees}
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (is_method("CANCEL")) {{
    if (t_check_trans()) t_relay();
    exit;
  }}
  if (!is_method("ACK") && t_precheck_trans()) {{ t_check_trans(); exit; }}
  t_check_trans();
"""

REGISTRAR = """
request_route {{
  xlog("L_NOTICE", "$rm $ru from $si:$sp\\n");
""" + TAKE_UP + """  if (has_totag()) {{
    if (loose_route()) {{ t_relay(); exit; }}
    if (is_method("ACK")) exit;
    sl_send_reply("404", "Not here");
    exit;
  }}
  if (is_method("ACK")) exit;
  remove_hf("Route");
  if (is_method("INVITE|SUBSCRIBE")) record_route();
  if ($rd != "example.org") {{ sl_send_reply("404", "Not here"); exit; }}
  if (is_method("REGISTER")) {{
    if (!save("location")) sl_reply_error();
    exit;
  }}
  if (is_method("OPTIONS") && $rU == $null) {{ sl_send_reply("200", "OK"); exit; }}
  if (!lookup("location")) {{
    sl_send_reply("404", "Not registered");
    exit;
  }}
  if (!t_relay()) sl_reply_error();
  exit;
}}
"""

# Of a visited network: takes requests to the home proxy and back, by addresses alone.
VISITED = """
request_route {{
""" + TAKE_UP + """  if (has_totag() || $si == "{home}") {{
    if (!loose_route()) {{ sl_send_reply("404", "Not here"); exit; }}
    if (is_method("INVITE")) record_route();
    t_relay();
    exit;
  }}
  if (is_method("ACK")) exit;
  if (is_method("REGISTER")) add_path();
  if (is_method("INVITE")) record_route();
  $du = "sip:{home}:5061;transport=tls";
  if (!t_relay()) sl_reply_error();
  exit;
}}
"""

TLS = """[server:default]
method = TLSv1.2+
verify_certificate = no
require_certificate = no
private_key = {key}
certificate = {certificate}
ca_list = {ca}

[client:default]
method = TLSv1.2+
verify_certificate = no
require_certificate = no
private_key = {key}
certificate = {certificate}
ca_list = {ca}
"""


# Whole, as it came; hexadecimal, for a body may hold any octet.
SEES = 'xlog("L_NOTICE", "SEEN $(mb{s.encode.hexa}) END\\n");'
SEES_REPLIES = "\nonreply_route {\n  " + SEES + "\n}"


class Kamailio:
    """`curious`: it keeps every message it gets. `home`: where a visited network's leads."""

    def __init__(self, namespace, certificates, directory, curious=False, *, address=CORE.host4,
                 pair=None, home=None):
        os.makedirs(directory, exist_ok=True)
        self.address = address
        self._namespace = namespace
        certificate, key = pair or certificates.core
        tls = os.path.join(directory, "tls.cfg")
        main = os.path.join(directory, "kamailio.cfg")
        self.log = os.path.join(directory, "kamailio.log")
        with open(tls, "w", encoding="ascii") as file:
            file.write(TLS.format(key=key, certificate=certificate, ca=certificates.ca))
        with open(main, "w", encoding="ascii") as file:
            file.write((PREAMBLE + (VISITED if home else REGISTRAR)).format(
                address=self.address, tls=tls, home=home,
                domain="visited.example" if home else "example.org",
                sees=SEES if curious else "", sees_replies=SEES_REPLIES if curious else ""))
        with open(self.log, "wb") as log:
            self._process = namespace.popen(
                ["kamailio", "-DD", "-E", "-x", "fm", "-m", "64", "-M", "8", "-f", main,
                 "-Y", directory, "-P", os.path.join(directory, "pid")],
                stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self._wait()

    def _wait(self):
        deadline = time.monotonic() + 8
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            probe = self._namespace.socket(socket.AF_INET, socket.SOCK_STREAM)
            with probe:
                probe.settimeout(0.5)
                if probe.connect_ex((self.address, 5061)) == 0:
                    return
            time.sleep(0.05)
        with open(self.log, encoding="utf-8", errors="replace") as log:
            raise LabError("kamailio did not start: " + log.read()[-600:])

    def seen(self):
        """The messages a curious one got, as octets."""
        with open(self.log, "rb") as log:
            text = log.read()
        parts = re.findall(rb"SEEN ([0-9a-fA-F]*) END", text)
        if text.count(b"SEEN ") != len(parts):
            raise LabError("kamailio's log has a message that isn't whole")
        return [bytes.fromhex(part.decode()) for part in parts]

    def stop(self):
        stop(self._process)
