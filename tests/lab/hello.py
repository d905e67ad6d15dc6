# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario: DTLS begins before its call is answered here."""

import os
import re
import select
import subprocess
import time

import media_ua
from gating import Arrivals
from lab import PHONES_A, TRUNK, check, scenario
from media_ua import Call, audio, describe
from namespaces import stop


class Handshake:
    """A DTLS server at alice's port, a client at the trunk's: OpenSSL's own."""

    def __init__(self, lab, a_port, t_port):
        certificate, key = lab.certificates.phone
        server = ["openssl", "s_server", "-dtls1_2", "-accept", f"{PHONES_A.host4}:{a_port}", "-cert",
                  certificate, "-key", key]
        self._client = ["openssl", "s_client", "-dtls1_2", "-connect", f"{PHONES_A.host4}:{a_port}",
                        "-bind", f"{TRUNK}:{t_port}"]
        self._lab, self._a_port = lab, a_port
        self._server = lab.a.popen(server, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        lab.closing(lambda: stop(self._server))
        deadline = time.monotonic() + 3
        while not re.search(rf":{a_port}\b", lab.a.run(["ss", "-Huln"]).stdout):
            check(time.monotonic() < deadline, "openssl s_server does not listen")
            time.sleep(0.01)

    def begin(self):
        client = self._lab.core.popen(self._client, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT)
        self._lab.closing(lambda: stop(client))
        return client


def read_until(client, pattern, timeout):
    """Seconds until a program has printed this."""
    started, text = time.monotonic(), ""
    while time.monotonic() - started < timeout:
        if select.select([client.stdout], [], [], 0.05)[0]:
            data = os.read(client.stdout.fileno(), 65536)
            text += data.decode("utf-8", "replace")
            if re.search(pattern, text):
                return time.monotonic() - started
            check(data, f"openssl ended: {text[-200:]}")
    return None


@scenario("dtls-hello-race")
def hello_race(lab):
    """The ClientHello outruns the 200: its sender would repeat it a second later."""
    lab.start_midcomd()
    at_gateway = Arrivals(lab, lab.gateway, "core")
    at_phone = Arrivals(lab, lab.a, "eth0")
    parties, took = None, []

    def hellos(tap, port):
        return [entry for entry in list(tap.came) if entry[1][3] == port and entry[2][:1] == b"\x16"]

    for turn, is_before in enumerate((True, False)):
        a_port, t_port = 30000 + 10 * turn, 31000 + 10 * turn
        handshake = Handshake(lab, a_port, t_port)
        extra = [media_ua.FINGERPRINT, "rtcp-mux"]
        call = Call(lab, describe(PHONES_A.host4, audio(
            a_port, *extra, "setup:actpass", profile="UDP/TLS/RTP/SAVP")), parties)
        parties = call.parties
        reply = describe(TRUNK, audio(t_port, *extra, "setup:active", profile="UDP/TLS/RTP/SAVP"))
        if is_before:
            client = handshake.begin()
            check(at_gateway.wait_count(lambda e, p=a_port: e[1][3] == p, 1), "no ClientHello")
            check(not hellos(at_phone, a_port), "a ClientHello passes on the offer alone")
            call.say_answer(reply)
        else:
            call.say_answer(reply)
            client = handshake.begin()
        said = time.monotonic()
        call.confirm(reply)
        check(read_until(client, r"Cipher is ECDHE", 4) is not None, "no handshake within 4 s")
        took.append((time.monotonic() - said) * 1000)
        first = hellos(at_gateway, a_port)[0]
        came = at_phone.wait_count(lambda e, f=first: e[1] == f[1] and e[2] == f[2], 1)
        check(came, "the very first ClientHello did not reach the phone")
        check(took[-1] < 900, f"the handshake took {took[-1]:.0f} ms: a ClientHello was repeated")
        call.hang_up()
        lab.midcomd.wait_pinholes(0)
    lab.figure(f"ua=openssl, handshake complete {took[0]:.0f} ms after the 200 that the first "
               f"ClientHello outran, {took[1]:.0f} ms after the one it followed; no repetition")
