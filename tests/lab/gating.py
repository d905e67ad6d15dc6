# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: what the gate lets in, keeps waiting, and keeps out."""

import json
import os
import re
import select
import subprocess
import sys
import time

import media_ua
from control import ask
from ice import Credentials, IceEnd, binding_request, candidate
from lab import CORE, PHONES_A, PHONES_B, TRUNK, check, scenario
from media_ua import Call, audio, both_ways, client_hello, describe, none_pass, number_of, rtcp, rtp
from namespaces import stop
from packets import Tap

FLOOD_RATE, FLOOD_SECONDS, GATE_RATE = 100_000, 3, 200
FLOOD_LIMITS = f"\n[gate]\ngate-rate = {GATE_RATE}\n"

class Arrivals(Tap):
    """Every datagram that comes in at an interface, whole."""

    def __init__(self, lab, namespace, interface):
        self.came = []  # (nanoseconds, (source, sport, destination, dport), octets)
        super().__init__(namespace, interface)
        lab.closing(self.close)

    def note_datagram(self, stamp, outgoing, tuple4, payload):
        if not outgoing:
            self.came.append((stamp, tuple4, payload))

    def numbers_at(self, port):
        return [number_of(payload) for _, (_, _, _, dport), payload in list(self.came)
                if dport == port and number_of(payload) is not None]

    def wait_count(self, matches, count, timeout=2.0):
        deadline = time.monotonic() + timeout
        while True:
            found = [entry for entry in list(self.came) if matches(entry)]
            if len(found) >= count or time.monotonic() > deadline:
                return found
            time.sleep(0.005)


def gate(lab):
    """What midcomctl says the gate has done."""
    return ask(lab, "status")["gate"]


def learns(lab, word):
    """The trunk's media may come from elsewhere than it says."""
    lab.midcomd.replace_in_configuration("[peer trunk]\nkind = trunk\n",
                                         f"[peer trunk]\nkind = trunk\nmedia-source = {word}\n")


@scenario("early-media-first-word")
def first_word(lab):
    """Audio sent just before the 183, and with it: nothing of it is lost, nothing out of order."""
    lab.start_midcomd()
    at_phone = Arrivals(lab, lab.a, "eth0")
    parties, delays = None, []
    for turn, is_before in enumerate((True, False)):
        near, far = media_ua.ends(lab, 30000 + 10 * turn, 31000 + 10 * turn)
        call = Call(lab, describe(PHONES_A.host4, audio(near.port)), parties)
        parties = call.parties
        reply = describe(TRUNK, audio(far.port))
        numbers = list(range(100, 110))
        if is_before:
            for number in numbers[:5]:
                far.send(rtp(number), near.at)
        said = time.time_ns()
        call.incoming.reply(183, "Session Progress", reply)
        for number in numbers[5:] if is_before else numbers:
            far.send(rtp(number), near.at)
        call.sent.response(183)
        check(near.gets(numbers), f"of {numbers} sent {'before and ' * is_before}with the 183 came "
              f"{near.numbers()}")
        came = at_phone.numbers_at(near.port)
        check(came == numbers, f"out of order at the phone's interface: {came}")
        delays.append((at_phone.wait_count(lambda e, n=near: e[1][3] == n.port, 1)[0][0] - said) / 1e6)
        call.answer(reply)
        check(both_ways(near, far, 200) == (True, True), "no media after the answer")
        call.hang_up()
        check(none_pass(near, far, 300), "media after the BYE")
    lab.figure(f"ua=harness, first packet at the phone {delays[0]:.1f} ms after the 183 when sent "
               f"before it, {delays[1]:.1f} ms when with it; 10 of 10 in order each, 0 after the BYE")


@scenario("parked-and-released")
def parked(lab):
    lab.start_midcomd()
    near, far = media_ua.ends(lab)
    parties = None

    def call(first, count=8):
        nonlocal parties
        one = Call(lab, describe(PHONES_A.host4, audio(near.port)), parties)
        parties = one.parties
        numbers = list(range(first, first + count))
        for number in numbers:
            far.send(rtp(number), near.at)
        return one, numbers

    before = gate(lab)
    accepted, numbers = call(100)
    check(near.wait(lambda data: number_of(data) in numbers, 0.1) is None, "media on the offer alone")
    accepted.answer(describe(TRUNK, audio(far.port)))
    check(near.gets(numbers) and near.numbers() == numbers,
          f"released {near.numbers()} of {numbers}")
    after = gate(lab)
    check(after["released"] - before["released"] == len(numbers), f"{before} then {after}")
    accepted.hang_up()

    elsewhere, numbers = call(200)  # the answer names another sender
    elsewhere.answer(describe(TRUNK, audio(far.port + 100)))
    check(not near.gets(numbers[:1], 0.1), "released to an answer that names another sender")
    elsewhere.hang_up()
    refused, more = call(300)
    refused.incoming.reply(486, "Busy Here")
    check(refused.sent.final().status == 486, "486")
    check(not near.gets(more[:1], 0.1), "released by a refusal")
    late, stale = call(400)
    sent = time.monotonic()
    parked_then = gate(lab)["dropped"]
    while gate(lab)["dropped"] < parked_then + len(stale):
        check(time.monotonic() - sent < 3, "parked for longer than 3 s")
        time.sleep(0.02)
    held = time.monotonic() - sent
    late.answer(describe(TRUNK, audio(far.port)))
    check(both_ways(near, far, 500) == (True, True), "no media after a late answer")
    check(not set(stale) & set(near.numbers()), "what had waited too long was released")
    late.hang_up()
    check(not set(numbers + more) & set(near.numbers()), "released later")
    last = gate(lab)
    lab.figure(f"ua=harness, parked {last['parked']}, released {last['released']} in order by the "
               f"answer; 0 of {len(numbers)} to another sender's answer, of {len(more)} to a 486, of "
               f"{len(stale)} after {held:.1f} s")


STRANGERS = (("core", CORE.host4, 31000), ("core", CORE.more4[1], 31000), ("core", TRUNK, 31999),
             ("b", PHONES_B.host4, 31000), ("b", PHONES_B.host4, 20000))


class Injection:
    """Third parties that send all kinds of packets to a phone's ports."""

    def __init__(self, lab, alice):
        self._lab, self._near, self._own = lab, alice.near, alice.own
        self._phone = Arrivals(lab, lab.a, "eth0")
        self._gateway = [Arrivals(lab, lab.gateway, name) for name in ("core", "phones-b")]
        self.sent = 0

    def _packets(self, other):
        yield rtp(9)
        yield rtp(9, 96)
        yield rtcp(9)
        yield client_hello()
        if self._own:
            yield binding_request(f"{self._own.ufrag}:{other.ufrag if other else 'x'}",
                                  self._own.password)

    def burst(self, other=None):
        """What a stranger may know, the right credentials of both among it."""
        ports = self._near.port, self._near.port + 1
        for space, address, sport in STRANGERS:
            for port in ports:
                for packet in self._packets(other):
                    self._lab.probe[getattr(self._lab, space)].send_payload(
                        address, sport, self._near.address, port, packet)
                    self.sent += 1

    def check(self, when):
        """All of them reached the gateway, none the phone."""
        ours = {(address, sport) for _, address, sport in STRANGERS}
        deadline = time.monotonic() + 2
        while sum(self.count(one, ours) for one in self._gateway) < self.sent:
            check(time.monotonic() < deadline, "the control failed: the attack did not reach the gateway")
            time.sleep(0.005)
        time.sleep(0.05)
        came = [entry[1] for entry in self._phone.came if entry[1][:2] in ours]
        check(not came, f"{len(came)} packets of third parties came {when}: {set(came)}")

    @staticmethod
    def count(tap, ours):
        return sum(1 for _, flow, _ in list(tap.came) if flow[:2] in ours)


class Phone:
    """What alice has for a plain call and for one with ICE."""

    def __init__(self, lab, has_ice, port):
        self.own = Credentials() if has_ice else None
        self.near = (IceEnd(lab, lab.a, PHONES_A.host4, port, self.own) if has_ice
                     else media_ua.End(lab, lab.a, PHONES_A.host4, port))

    def description(self, address, end, own):
        extra = [*own.attributes(), candidate(*end.at)] if own else []
        return describe(address, audio(end.port, *extra))


@scenario("third-party-injection")
def third_party(lab):
    lab.start_midcomd()
    parties, total = None, 0
    for has_ice in (False, True):
        port = 30200 if has_ice else 30000
        alice = Phone(lab, has_ice, port)
        near, theirs = alice.near, Credentials() if has_ice else None
        far = (IceEnd(lab, lab.core, TRUNK, 31000, theirs, False) if has_ice
               else media_ua.End(lab, lab.core, TRUNK, 31000))
        attack = Injection(lab, alice)
        attack.burst()
        attack.check("before the call")
        call = Call(lab, alice.description(PHONES_A.host4, near, alice.own), parties)
        parties = call.parties
        attack.burst(theirs)
        attack.check("on the offer alone")
        reply = alice.description(TRUNK, far, theirs)
        call.progress(reply)
        attack.check("at the 183")
        attack.burst(theirs)
        attack.check("after the 183")
        call.answer(reply)
        attack.check("at the answer")
        if has_ice:
            check(far.connects(near.at, alice.own) is not None, "the control failed: no ICE")
        for turn in range(3):
            check(both_ways(near, far, 100 + 10 * turn) == (True, True), "the control failed: no media")
            attack.burst(theirs)
        attack.check("into the live flow")
        call.hang_up()
        attack.burst(theirs)
        attack.check("after the BYE")
        total += attack.sent
        far.close()
    lab.figure(f"ua=harness, {total} packets of {len(STRANGERS)} third parties reached the gateway, 0 "
               "the phone: before, on the offer, early, live, after; plain and ICE")


@scenario("gate-wrong-payload-type")
def wrong_payload_type(lab):
    learns(lab, "same-address")
    lab.start_midcomd()
    near, far = media_ua.ends(lab)
    behind_nat = media_ua.End(lab, lab.core, TRUNK, 31500)
    too_late = media_ua.End(lab, lab.core, TRUNK, 31502)
    call = Call(lab, describe(PHONES_A.host4, audio(near.port, types=(0, 8))))
    call.answer(describe(TRUNK, audio(far.port, types=(0, 8))))
    mark = lab.midcomd.mark()
    wrong = [rtp(1, 3), rtp(2, 96), rtp(3, 127), rtp(4, 0, version=1), rtp(5, 0)[:11], b"\x80" * 11,
             client_hello(), binding_request("a:b", "c" * 22), b"", bytes(200)]
    for packet in wrong:
        behind_nat.send(packet, near.at)
    drop = lab.midcomd.wait("gate.drop", since=mark)
    time.sleep(0.05)
    came = [data for _, source, data in near.received if source == behind_nat.at]
    check(not came, f"{len(came)} packets of no negotiated payload type came")
    behind_nat.send(rtp(50, 8), near.at)
    check(near.gets([50]), "the negotiated payload type is lost")
    admit = lab.midcomd.wait("gate.admit", since=mark, call=call.call_id)
    check(both_ways(near, behind_nat, 100) == (True, True), "no media with the sender admitted")
    too_late.send(rtp(60, 8), near.at)
    check(not near.gets([60], 0.15), "learning happened twice")
    call.hang_up()
    lab.midcomd.wait_pinholes(0)
    check(none_pass(near, behind_nat, 200), "media after the BYE")
    lab.figure(f"ua=harness, 0 of {len(wrong)} wrong packets came (first: {drop.get('reason')}), the "
               f"right one did (by={admit.get('by')}), a second sender didn't, 0 after the BYE")


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


class Live:
    """A call's media at the gateway's interfaces, read through a filter of its port."""

    def __init__(self, lab, call):
        self._call = call
        self._taps = [Tap(lab.gateway, name, call.a_port) for name in ("phones-a", "core")]
        for tap in self._taps:
            lab.closing(tap.close)
        self._since = time.time_ns()

    def in_and_out(self):
        """(entered, left) both ways together, when what was sent has come."""
        self._call.at_alice.quiet()
        self._call.at_trunk.quiet()
        time.sleep(0.1)
        packets = [(outgoing, number, flow) for tap in self._taps
                   for stamp, outgoing, number, flow in list(tap.marked) if stamp >= self._since]
        entered = {entry[1:] for entry in packets if not entry[0]}
        left = {entry[1:] for entry in packets if entry[0]}
        return len(entered), len(entered - left)


def received_packets(lab):
    """Of the gateway's interface towards the core."""
    text = lab.gateway.run(["ip", "-s", "-j", "link", "show", "core"]).stdout
    return json.loads(text)[0]["stats64"]["rx"]["packets"]


@scenario("gate-flood", extra=FLOOD_LIMITS)
def flood(lab):
    lab.start_midcomd()
    live = lab.call_to_trunk(rate=100)
    own, theirs = Credentials(), Credentials()
    target, spare = (IceEnd(lab, lab.a, PHONES_A.host4, port, own) for port in (30200, 30202))
    far, other = (IceEnd(lab, lab.core, TRUNK, port, theirs, False) for port in (31200, 31202))
    call = Call(lab, describe(PHONES_A.host4, audio(
        target.port, "rtcp-mux", *own.attributes(), candidate(*target.at, 1), candidate(*spare.at, 2))),
        (live.alice, live.line, live.trunk))
    call.answer(describe(TRUNK, audio(
        far.port, "rtcp-mux", *theirs.attributes(), candidate(*far.at, 1), candidate(*other.at, 2))))
    lab.tap[lab.core].close()  # it would see every packet of the flood
    media = Live(lab, live)
    mark, before, entered = lab.midcomd.mark(), gate(lab), received_packets(lab)
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flood.py")
    sender = lab.core.popen([sys.executable, program, TRUNK, "31999", PHONES_A.host4,
                             str(target.port), str(FLOOD_RATE), str(FLOOD_SECONDS)],
                            stdout=subprocess.PIPE, text=True)
    lab.closing(lambda: stop(sender))
    lab.midcomd.wait("gate.drop", since=mark)
    beside = other.connects(spare.at, own, 2)
    sent, took = sender.communicate(timeout=15)[0].split()
    queued = gate(lab)["queued"] - before["queued"]
    entered = received_packets(lab) - entered
    count, lost = media.in_and_out()
    check(entered >= int(sent), f"of {sent} packets {entered} reached the gateway")
    check(lost == 0 and count > 200, f"{lost} of {count} packets of the live call were lost")
    check(beside is not None, "the flood at one sink kept a right check from another")
    allowed = GATE_RATE * (float(took) + 2)
    check(0 < queued <= allowed, f"{queued} packets were queued in {took} s at {GATE_RATE}/s")
    check(not target.received, f"{len(target.received)} packets of the flood came to the phone")
    lines = len(lab.midcomd.events("gate.drop", mark))
    check(lines <= 20, f"{lines} lines in the log")
    live.hang_up()
    call.hang_up()
    lab.figure(f"ua=harness, {int(sent) / float(took) / 1000:.0f} kpps for {took} s: {queued} queued "
               f"(limit {GATE_RATE}/s), 0 passed, {lines} log lines; live call {count} in, {count} out; "
               f"a right check beside it took {beside:.0f} ms")
