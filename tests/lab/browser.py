# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: two real browsers, of whose call the harness carries nothing but the descriptions."""

import re
import time

import chromium
from lab import PHONES_A, PHONES_B, STRANGER, Skip, check, scenario
from packets import Tap

KINDS = (("STUN", 0, 3), ("DTLS", 20, 63), ("SRTP", 128, 191))  # RFC 7983: the first octet
ENDS = {PHONES_A.host4, PHONES_A.host6, PHONES_B.host4, PHONES_B.host6}


class MediaTap(Tap):
    """The browsers' datagrams at one interface of the gateway."""

    def __init__(self, namespace, interface):
        self._datagrams = []  # (nanoseconds, outgoing, kind)
        super().__init__(namespace, interface)

    def note_datagram(self, stamp, outgoing, tuple4, payload):
        if payload and {tuple4[0], tuple4[2]} <= ENDS:
            kind = next((name for name, low, high in KINDS if low <= payload[0] <= high), None)
            if kind:
                self._datagrams.append((stamp, outgoing, kind))

    def kinds(self, outgoing, since=0):
        found = {name: 0 for name, _, _ in KINDS}
        for stamp, direction, kind in list(self._datagrams):
            if direction == outgoing and stamp >= since:
                found[kind] += 1
        return found

    def count(self, outgoing, since=0):
        return sum(self.kinds(outgoing, since).values())


class Gate:
    """The gateway's interfaces to both browsers."""

    def __init__(self, lab):
        self.taps = {link.interface: MediaTap(lab.gateway, link.interface)
                     for link in (PHONES_A, PHONES_B)}
        for tap in self.taps.values():
            lab.closing(tap.close)

    def check_forwards(self, kinds, since):
        """All of these went to both sides."""
        for interface, tap in self.taps.items():
            sent = tap.kinds(True, since)
            check(all(sent[kind] for kind in kinds), f"forwarded to {interface}: {sent}")

    def check_closed(self, when, since, settle=0.4):
        """Both browsers still send, and nothing of it leaves the gateway; how many it dropped."""
        deadline = time.monotonic() + 5
        time.sleep(settle)
        while not all(tap.count(False, since) for tap in self.taps.values()):
            check(time.monotonic() < deadline, f"a browser sends nothing {when}")
            time.sleep(0.02)
        left = {name: tap.kinds(True, since) for name, tap in self.taps.items()}
        check(not any(sum(kinds.values()) for kinds in left.values()), f"forwarded {when}: {left}")
        return sum(tap.count(False, since) for tap in self.taps.values())


def candidates(sdp):
    """(address, port) of the first stream's candidates: the whole BUNDLE is there once answered."""
    first = "m=".join(sdp.split("m=")[:2])
    return {(address, int(port)) for address, port
            in re.findall(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", first, re.MULTILINE)}


class BrowserCall:
    """alice's page calls bob's through the registrar."""

    def __init__(self, lab, wants):
        self.lab, self.wants = lab, dict.fromkeys(wants, True)
        self.media = [kind for kind in ("audio", "video") if kind in wants]
        self.alice = self._browser(lab.a, "alice")
        self.bob = self._browser(lab.b, "bob")
        self.gate = Gate(lab)

    def _browser(self, namespace, user):
        browser = chromium.Browser(namespace, self.lab.directory, user)
        self.lab.closing(browser.stop)
        return browser

    def check_roads(self):
        """The control: without midcomd the browsers connect; it starts, and cuts them off."""
        offer = self.alice.call("offer", self.wants)
        self.alice.call("accept", self.bob.call("answer", self.wants, offer))
        for one in (self.alice, self.bob):
            one.call("connected")
        check(self.alice.call("echo", ["hello"]) == ["hello"], "no echo without midcomd")
        self.alice.call("chatter")
        self.lab.start_midcomd()
        self.gate.check_closed("without a call", time.time_ns())
        for one in (self.alice, self.bob):
            one.call("close")

    def set_up(self):
        lab = self.lab
        agent, line = lab.alice()
        other = lab.agent(lab.b, "bob", PHONES_B.host4)
        for one, its_line in ((agent, line), (other, other.connect(PHONES_B.gateway4))):
            one.register(its_line)
        self.line = line
        offer = self.alice.call("offer", self.wants)
        since = time.time_ns()
        sent = agent.invite(line, other.uri, offer)
        incoming = other.expect("INVITE")
        check(incoming.message.body == offer, "the offer was changed on the way")
        answer = self.bob.call("answer", self.wants, offer)
        incoming.reply(200, "OK", answer)
        final = sent.final()
        check(final.status == 200, f"the call was answered with {final.start}: "
              f"{final.get('Warning')}")
        check(final.body == answer, "the answer was changed on the way")
        started = time.monotonic()
        self.alice.call("accept", final.body)
        self.dialog, self.other = sent.dialog(final), other
        self.dialog.ack()
        other.expect("ACK")
        for one in (self.alice, self.bob):
            one.call("connected")
        self.delay = (time.monotonic() - started) * 1000
        self.ends = candidates(offer), candidates(answer)
        return since

    def check_talk(self, count=100):
        """Texts come back; both get that many packets of each kind of media."""
        texts = [f"text {number}" for number in range(count)]
        check(self.alice.call("echo", texts) == texts, "what came back isn't what was sent")
        for kind in self.media:
            for one in (self.alice, self.bob):
                one.call("received", kind, count)
        self.alice.call("chatter")

    def check_elements(self):
        """What is open is exactly what candidates promised, and carries the browsers' pair."""
        lab = self.lab
        open_now = lab.midcomd.pinholes()
        near, far = self.ends
        for source, sport, destination, dport in open_now:
            pair = {(source, sport), (destination, dport)}
            check(pair & near and pair & far, f"open, but nobody's candidates: {pair}")
        five = self._used_pair()
        for tuple4 in (five, five[2:] + five[:2]):
            check(open_now.get(tuple4, 0) > 0, f"{tuple4} is used, open are {open_now}")
        self._probe(five)
        return five

    def _used_pair(self):
        """What both browsers have in use, as (source, port, destination, port) of alice's."""
        deadline = time.monotonic() + 3
        while True:
            used = [one.call("figures")["transports"] for one in (self.alice, self.bob)]
            check(all(len(one) == 1 for one in used), f"not one transport each: {used}")
            (near,), (far,) = used
            if near["local"] == far["remote"] and near["remote"] == far["local"]:
                return (*near["local"], *near["remote"])
            check(time.monotonic() < deadline, f"they use two pairs: {used}")
            time.sleep(0.05)

    def _probe(self, five):
        """The pair passes; a port beside it and a stranger at its port don't."""
        lab = self.lab
        near, nport, far, fport = five
        there = (lab.a, near, nport, lab.b, far, fport)
        check(lab.passes(*there), "a probe on the pair does not pass: the probes prove nothing")
        check(lab.passes(lab.b, far, fport, lab.a, near, nport), "nor back")
        check(not lab.passes(lab.a, near, nport + 1, lab.b, far, fport), "another source port")
        check(not lab.passes(lab.a, near, nport, lab.b, far, fport + 1), "another port")
        check(not lab.passes(lab.b, far, fport + 1, lab.a, near, nport), "another port, back")
        check(not lab.passes(lab.a, STRANGER, nport, lab.b, PHONES_B.host4, fport), "a stranger")

    def hang_up(self):
        """In SIP alone: the pages aren't told and send on. How many packets were dropped."""
        sent = self.dialog.bye()
        self.other.expect("BYE").reply(200, "OK")
        answer = sent.final()
        check(answer.status == 200, f"BYE was answered with {answer.start}")
        self.gate.check_closed("after the BYE", answer.stamp)
        tap, local = self.gate.taps[PHONES_A.interface], tuple(self.line.local)
        left = max(stamp for stamp, outgoing, tuple4, _ in list(tap.streams)
                   if outgoing and tuple4[2:] == local and stamp <= answer.stamp)
        self.lab.midcomd.wait_pinholes(0)
        for one in (self.alice, self.bob):
            one.call("disconnected")
        return self.gate.check_closed("until ICE gave up", left, 0)


def carry(lab, wants, both_families=False):
    """The whole of a call. Returns the pair that ICE found."""
    if not chromium.is_installed():
        raise Skip(f"{chromium.PROGRAM} is not installed (init/packages lab)")
    if both_families:
        for link in (PHONES_A, PHONES_B):
            lab.midcomd.replace_in_configuration(
                f"interface = {link.interface}\nmedia = source",
                f"interface = {link.interface}\nmedia = {link.host4}/32\nmedia = {link.host6}/128")
    call = BrowserCall(lab, wants)
    call.check_roads()
    since = call.set_up()
    call.check_talk()
    kinds = ["STUN", "DTLS"] + ["SRTP"] * bool(call.media)
    call.gate.check_forwards(kinds, since)
    five = call.check_elements()
    figures = [one.call("figures") for one in (call.alice, call.bob)]
    crossed = [f"{kind} " + "+".join(str(tap.kinds(True, since)[kind])
                                     for tap in call.gate.taps.values()) for kind in kinds]
    dropped = call.hang_up()
    lab.figure(f"{call.alice.version}, {'+'.join(wants)} connected {call.delay:.0f} ms after the "
               f"answer from {five[0]}:{five[1]} to {five[2]}:{five[3]}")
    lab.figure("forwarded " + ", ".join(crossed))
    for kind in call.media:
        lab.figure(f"{kind} packets got {figures[0][kind]}+{figures[1][kind]}")
    lab.figure(f"after the BYE 0 of {dropped} forwarded, both disconnected")
    return five


@scenario("browser-bundle", registrar=True)
def browser_bundle(lab):
    """All a browser has in one BUNDLE, candidates of both families in the peers' networks."""
    carry(lab, ("audio", "video", "data"), both_families=True)


@scenario("browser-data", registrar=True)
def browser_data(lab):
    """media = source: the IPv6 candidates are not where signalling comes from, ICE takes others."""
    five = carry(lab, ("data",))
    check(":" not in five[0] + five[2], f"{five} is not what the peers may use")

