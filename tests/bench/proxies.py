# SPDX-License-Identifier: GPL-3.0-or-later
"""The two proxies under the same load: midcomd and Kamailio, each in the lab's gateway."""

import contextlib
import json
import os
import re
import socket
import subprocess
import time

from midcomd import binary
from namespaces import PHONES_A, PHONES_B, LabError, stop

TICKS = os.sysconf("SC_CLK_TCK")

MIDCOMD = """[midcomd]
name = gw.example.net
state-directory = {directory}/state
control-socket = {directory}/control.sock

[listen caller]
address = tls:{a.gateway4}:5061
[listen callee]
address = tls:{b.gateway4}:5061

[tls]
certificate = {certificate}
key = {key}
ca = {ca}
client-verify = required

[peer caller]
kind = trunk
network = {a.host4}/32
interface = {a.interface}
identity = caller.example
media = {a.host4}/32
max-calls = 100000

[peer callee]
kind = trunk
network = {b.host4}/32
interface = {b.interface}
identity = callee.example
media = {b.host4}/32
next-hop = tls:{b.host4}:5061
tls-name = callee.example
max-calls = 100000

[route callee.example]
peer = callee

[media]
ports = 10000-65535

[limits]
# A flat-out load holds far more transactions than any real neighbour: RFC 6026 keeps each INVITE
# for 32 s after its 200.
calls = 1000000
rules = 200000
transactions = 4000000
transactions-per-address = 4000000

[log]
format = logfmt
destination = stderr
level = {level}

[firewall]
mode = {mode}
"""

# One TCP worker for each side: Debian 12's crashes on concurrent new TLS connections with more.
KAMAILIO = """#!KAMAILIO
debug=-1
log_stderror=yes
fork=yes
children=1
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
use_dns_cache=off
use_dns_failover=off
dns_srv_lb=off
dns_try_ipv6=off
tcp_connect_timeout=3
tcp_connection_lifetime=3605
tcp_max_connections=2048
disable_tcp=no
enable_tls=yes
socket_workers=1
listen=tls:{a.gateway4}:5061
socket_workers=1
listen=tls:{b.gateway4}:5061
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tls.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
modparam("tls", "config", "{directory}/tls.cfg")
modparam("rr", "enable_full_lr", 1)
modparam("rr", "enable_double_rr", 1)

request_route {{
  if (!mf_process_maxfwd_header("70")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (is_method("CANCEL")) {{
    if (t_check_trans()) t_relay();
    exit;
  }}
  if (has_totag()) {{
    if (loose_route()) {{ t_relay(); exit; }}
    if (is_method("ACK")) {{
      if (t_check_trans()) t_relay();
      exit;
    }}
    sl_send_reply("404", "Not here");
    exit;
  }}
  t_check_trans();
  if (is_method("INVITE")) record_route();
  if ($rd != "callee.example") {{ sl_send_reply("404", "Not here"); exit; }}
  $du = "sip:{b.host4}:5061;transport=tls";
  if (!t_relay()) sl_reply_error();
  exit;
}}
"""

KAMAILIO_TLS = """[server:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
private_key = {key}
certificate = {certificate}
ca_list = {ca}

[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
private_key = {key}
certificate = {certificate}
ca_list = {ca}
"""


def _stat(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def _tree(root):
    """`root` and all its descendants."""
    children = {}
    for word in os.listdir("/proc"):
        if word.isdigit():
            with contextlib.suppress(OSError, IndexError):
                children.setdefault(int(_stat(word)[1]), []).append(int(word))
    found, more = [], [root]
    while more:
        pid = more.pop()
        found.append(pid)
        more += children.get(pid, [])
    return found


class Proxy:
    """Starts in the gateway; measured by what the kernel says of all its processes."""

    name = ""

    def __init__(self, gateway, certificates, directory):
        self.gateway = gateway
        self.certificates = certificates
        self.directory = os.path.join(directory, self.name)
        os.makedirs(self.directory, exist_ok=True)
        self.log = os.path.join(self.directory, "log")
        self._process = None

    def write(self, name, text, **more):
        certificate, key = self.certificates.gateway
        with open(os.path.join(self.directory, name), "w", encoding="ascii") as file:
            file.write(text.format(directory=self.directory, a=PHONES_A, b=PHONES_B,
                                   certificate=certificate, key=key, ca=self.certificates.ca,
                                   **more))

    def command(self):
        raise NotImplementedError

    def start(self):
        with open(self.log, "wb") as log:
            self._process = self.gateway.popen(self.command(), stdout=log,
                                               stderr=subprocess.STDOUT,
                                               stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 15
        waiting = [PHONES_A.gateway4, PHONES_B.gateway4]
        while waiting:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"{self.name} does not start: {self.tail()}")
            probe = self.gateway.socket(socket.AF_INET, socket.SOCK_STREAM)
            with probe:
                probe.settimeout(0.5)
                if probe.connect_ex((waiting[0], 5061)) == 0:
                    waiting.pop(0)
                    continue
            time.sleep(0.05)
        time.sleep(0.3)

    def tail(self, size=800):
        with open(self.log, "rb") as log:
            log.seek(max(0, os.path.getsize(self.log) - size))
            return log.read().decode("utf-8", "replace").strip()

    def pids(self):
        return _tree(self._process.pid)

    def cpu(self):
        """User and system seconds by process, of all there are."""
        seconds = {}
        for pid in self.pids():
            with contextlib.suppress(OSError, IndexError):
                fields = _stat(pid)
                seconds[pid] = (int(fields[11]) + int(fields[12])) / TICKS
        return seconds

    def memory(self):
        """Proportional set size of all processes, in MiB: shared pages count once."""
        kib = 0
        for pid in self.pids():
            with contextlib.suppress(OSError), \
                    open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                match = re.search(r"^Pss:\s+(\d+)", file.read(), re.M)
                kib += int(match.group(1)) if match else 0
        return kib / 1024

    def commits(self):
        """Figures of the time from an answer to the acknowledgement of its rules."""
        return {}

    def leftovers(self):
        """What the run should not have left, as text; "" when there is nothing."""
        if self._process.poll() is not None:
            return f"{self.name} ended with {self._process.returncode}: {self.tail()}"
        return ""

    def stop(self):
        if self._process is not None:
            stop(self._process, 10.0)
            self._process = None


class Midcomd(Proxy):
    name = "midcomd"

    def __init__(self, gateway, certificates, directory, level="info", mode="appliance"):
        super().__init__(gateway, certificates, directory)
        self.write("midcomd.conf", MIDCOMD, level=level, mode=mode)
        self._logs_calls = level in ("info", "debug")
        self._opens = mode != "observe"

    def command(self):
        return [binary(), "--config", os.path.join(self.directory, "midcomd.conf")]

    def elements(self):
        done = self.gateway.run(["nft", "list", "table", "inet", "midcomd"])
        if done.returncode != 0:
            raise LabError(f"midcomd has no table: {done.stderr.strip()}")
        return len(re.findall(r"\d\s+\.\s+[0-9a-f.:]+\s+\.\s+\d", done.stdout))

    def events(self):
        """How often each event is in the log."""
        found = {}
        with open(self.log, encoding="utf-8", errors="replace") as log:
            for line in log:
                match = re.search(r"\bev(?:ent)?=(\S+)", line)
                if match:
                    found[match.group(1)] = found.get(match.group(1), 0) + 1
        return found

    def open_and_close(self):
        """Pinholes opened and closed as the log has them; None when it isn't logged."""
        if not self._logs_calls:
            return None
        events = self.events()
        return events.get("pinhole.open", 0), events.get("pinhole.close", 0)

    def commits(self):
        """The daemon's own figures since its start, the warm-up among them."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(5)
            asking.connect(os.path.join(self.directory, "control.sock"))
            asking.sendall(b"status\n")
            with asking.makefile("r", encoding="utf-8") as answer:
                found = json.loads(answer.readline())["commits"]
        return {"commits": found["count"], "commit_p50": found["p50_us"],
                "commit_p99": found["p99_us"], "commit_longest": found["longest_us"]}

    def leftovers(self):
        wrong = super().leftovers()
        if wrong or not self._opens:
            return wrong
        deadline = time.monotonic() + 4
        while (count := self.elements()) and time.monotonic() < deadline:
            time.sleep(0.2)
        if count:
            return f"{count} elements are left in the firewall"
        logged = self.open_and_close()
        if logged is not None and (logged[0] != logged[1] or not logged[0]):
            return f"{logged[0]} pinholes opened, {logged[1]} closed"
        return ""


class Kamailio(Proxy):
    name = "kamailio"

    def __init__(self, gateway, certificates, directory):
        super().__init__(gateway, certificates, directory)
        self.write("kamailio.cfg", KAMAILIO)
        self.write("tls.cfg", KAMAILIO_TLS)

    def command(self):
        """Its default allocator costs three times as much: `fm` is the fair peer."""
        return ["kamailio", "-DD", "-E", "-x", "fm", "-m", "4096", "-M", "64", "-f",
                os.path.join(self.directory, "kamailio.cfg"), "-Y", self.directory, "-P",
                os.path.join(self.directory, "pid")]
