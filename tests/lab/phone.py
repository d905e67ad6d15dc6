# SPDX-License-Identifier: GPL-3.0-or-later
"""A baresip phone without a screen: registered over TLS, driven by its control port."""

import glob
import json
import os
import re
import socket
import subprocess
import threading
import time

import tones
from namespaces import LabError, stop

CONFIG = """poll_method epoll
sip_listen {listen}
sip_certificate {certificate}
sip_cafile {ca}
call_local_timeout 120
call_max_calls 4
audio_source aufile,{tone}
audio_player aubridge,sink
audio_alert aubridge,sink
rtp_ports {first}-{last}
rtcp_mux {mux}
jitter_buffer_delay 1-5
rtp_stats yes
statmode_default off
snd_path {recordings}
ctrl_tcp_listen 127.0.0.1:4444
module_path /usr/lib/baresip/modules
module g711.so
module sndfile.so
module aubridge.so
module aufile.so
module stun.so
module ice.so
module srtp.so
module dtls_srtp.so
module_tmp account.so
module_app contact.so
module_app menu.so
module_app ctrl_tcp.so
module_app rtcpsummary.so
"""

ACCOUNT = ("<sip:{user}@{domain};transport={transport}>;auth_pass=none;outbound=\"sip:{proxy}:"
           "{port};transport={transport}\";audio_codecs=PCMU/8000/1;regint=60;"
           "answermode={answer}{extra}\n")


class Phone:
    """alice hears `other_tone`, plays `tone`."""

    def __init__(self, namespace, directory, user, address, proxy, *, tone, encryption="dtls_srtp",
                 answer="auto", domain="example.org", first_port=20000, mux="no", certificate=None,
                 ca="", nat="", life=120, transport="tls", port=5061, contact="", trace=False,
                 is_bound=False):
        """`is_bound`: for an address that isn't the first of its interface."""
        self.user, self.domain, self.tone = user, domain, tone
        self.uri = f"sip:{user}@{domain}"
        self._namespace, self._directory = namespace, os.path.join(directory, user)
        self._recordings = os.path.join(self._directory, "recordings")
        os.makedirs(self._recordings, exist_ok=True)
        self.log = os.path.join(self._directory, "baresip.log")
        wav = os.path.join(self._directory, "tone.wav")
        tones.write(wav, tone, min(life, 600))
        pair = os.path.join(self._directory, "pair.pem")
        with open(pair, "w", encoding="ascii") as file:
            for part in certificate or ():
                with open(part, encoding="ascii") as source:
                    file.write(source.read())
        is_six = ":" in address
        bracketed, bracketed_proxy = ((f"[{address}]", f"[{proxy}]") if is_six
                                      else (address, proxy))
        self._write("config", CONFIG.format(
            listen=f"{bracketed}:5060", certificate=pair, ca=ca, tone=wav, first=first_port,
            last=first_port + 19, recordings=self._recordings, mux=mux))
        extra = (f";mediaenc={encryption}" if encryption else "") + (f";medianat={nat}" if nat
                                                                     else "")
        self._write("accounts", ACCOUNT.format(user=user, domain=domain, proxy=bracketed_proxy,
                                               transport=transport, port=port,
                                               answer=answer, extra=extra))
        self._write("contacts", f"<{contact}>\n" if contact else "")
        self.events = []
        self._buffer = b""
        self._replies = 0
        self._changed = threading.Condition()
        with open(self.log, "wb") as log:
            self._process = namespace.popen(
                ["baresip", "-f", self._directory, "-t", str(life)] + ["-6" if is_six else "-4"]
                + (["-s"] if trace else []) + (["-n", address] if is_bound else []),
                stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self._control = self._connect()
        threading.Thread(target=self._read, daemon=True).start()

    def _write(self, name, text):
        with open(os.path.join(self._directory, name), "w", encoding="ascii") as file:
            file.write(text)

    def _connect(self):
        deadline = time.monotonic() + 8
        while time.monotonic() < deadline and self._process.poll() is None:
            control = self._namespace.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                control.connect(("127.0.0.1", 4444))
                return control
            except OSError:
                control.close()
                time.sleep(0.05)
        raise LabError(f"{self.user}: baresip did not start: {self.text()[-400:]}")

    def _read(self):
        while True:
            try:
                data = self._control.recv(65536)
            except OSError:
                return
            if not data:
                return
            self._buffer += data
            while True:
                match = re.match(rb"(\d+):", self._buffer)
                if not match:
                    break
                size, begin = int(match.group(1)), match.end()
                if len(self._buffer) < begin + size + 1:
                    break
                body = self._buffer[begin:begin + size]
                self._buffer = self._buffer[begin + size + 1:]
                with self._changed:
                    message = json.loads(body.decode("utf-8", "replace"))
                    if message.get("event"):
                        self.events.append(message)
                    else:
                        self._replies += 1
                    self._changed.notify_all()

    def command(self, name, parameters=""):
        body = json.dumps({"command": name, "params": parameters}).encode()
        self._control.sendall(b"%d:%s," % (len(body), body))

    def count(self, kind):
        return sum(1 for event in self.events if event.get("type") == kind)

    def wait(self, kind, timeout=8.0, count=1):
        """Waits for the count-th event of a kind since the start."""
        with self._changed:
            if self._changed.wait_for(lambda: self.count(kind) >= count, timeout):
                return next(event for event in reversed(self.events) if event.get("type") == kind)
        seen = [event.get("type") for event in self.events]
        raise LabError(f"{self.user}: no {kind} within {timeout:g} s; events: {seen}")

    def wait_any(self, kinds, timeout=8.0):
        with self._changed:
            self._changed.wait_for(lambda: any(self.count(kind) for kind in kinds), timeout)
            return next((kind for kind in kinds if self.count(kind)), None)

    @property
    def pid(self):
        return self._process.pid

    def registered(self, timeout=8.0):
        """The answer may come before the control port is there: the log has it."""
        self.wait_text(r"\} 200 OK .*\[\d+ binding", timeout)

    def dial(self, uri):
        self.command("dial", uri)

    def hang_up(self):
        self.command("hangup")

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_text(self, pattern, timeout=8.0):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            match = re.search(pattern, self.text())
            if match:
                return match
            time.sleep(0.05)
        raise LabError(f"{self.user}: '{pattern}' not in its log within {timeout:g} s")

    def heard(self, hertz):
        """Seconds of a tone in what this phone received."""
        return sum(tones.heard_seconds(path, hertz)
                   for path in glob.glob(os.path.join(self._recordings, "*-dec.wav")))

    def stop(self):
        try:
            self._control.close()
        except OSError:
            pass
        stop(self._process)
