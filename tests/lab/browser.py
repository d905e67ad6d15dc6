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

    def longest_gap(self, kind, since):
        """In ms, of what was forwarded."""
        stamps = [stamp for stamp, outgoing, its in list(self._datagrams)
                  if outgoing and its == kind and stamp >= since]
        return max(later - earlier for earlier, later in zip(stamps, stamps[1:])) / 1e6

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

    def check_forwarded_nothing(self, when, since):
        left = {name: tap.kinds(True, since) for name, tap in self.taps.items()}
        check(not any(sum(kinds.values()) for kinds in left.values()), f"forwarded {when}: {left}")

    def check_closed(self, when, since, settle=0.4):
        """Both browsers still send, and nothing of it leaves the gateway; how many it dropped."""
        deadline = time.monotonic() + 5
        time.sleep(settle)
        while not all(tap.count(False, since) for tap in self.taps.values()):
            check(time.monotonic() < deadline, f"a browser sends nothing {when}")
            time.sleep(0.02)
        self.check_forwarded_nothing(when, since)
        return sum(tap.count(False, since) for tap in self.taps.values())


def candidates(sdp):
    """(address, port) of the first stream's candidates: the whole BUNDLE is there once answered."""
    first = "m=".join(sdp.split("m=")[:2])
    return {(address, int(port)) for address, port
            in re.findall(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", first, re.MULTILINE)}


def fragments(page, sdp):
    """What the page gathered as application/trickle-ice-sdpfrag: one candidate, then all."""
    found = page.call("gathered")
    return [_fragment(sdp, some, some is found) for some in (found[:1], found)]


def _fragment(sdp, found, is_whole):
    """RFC 8840 9: pseudo m= lines; what was said before is said again."""
    session, *media = re.split(r"^(?=m=)", sdp, flags=re.MULTILINE)
    lines = re.findall(r"^a=group:.*\r\n", session, re.MULTILINE)
    lines += re.findall(r"^a=ice-(?:ufrag|pwd):.*\r\n", media[0], re.MULTILINE)
    for index, text in enumerate(media):
        lines += re.findall(r"^(?:m=|a=mid:).*\r\n", text, re.MULTILINE)
        lines += [f"a={one['candidate']}\r\n" for one in found if one["sdpMLineIndex"] == index]
        lines += ["a=end-of-candidates\r\n"] * is_whole
    return "".join(lines)


def trickled(body):
    """The candidates of a fragment, as a page takes them."""
    return [{"candidate": line, "sdpMLineIndex": index}
            for index, text in enumerate(body.split("m=")[1:])
            for line in re.findall(r"^a=(candidate:[^\r]*)", text, re.MULTILINE)]


def sinks(lab):
    """Receive addresses at which the gate takes first packets."""
    found = set()
    for table_set in (item.get("set", {}) for item in lab.midcomd.ruleset()):
        if table_set.get("table") == "midcomd" and table_set["name"].startswith("sinks_"):
            for one in table_set.get("elem", ()):
                found.add(tuple((one.get("elem") or {}).get("val", one)["concat"]))
    return found


class BrowserCall:
    """alice's page calls bob's through the registrar."""

    offering, answering, headers = "offer", "answer", ()

    def __init__(self, lab, wants):
        self.lab, self.wants = lab, dict.fromkeys(wants, True)
        self.named = set()  # candidates, once they were checked
        self.media = [kind for kind in ("audio", "video") if kind in wants]
        self.kinds = ["STUN", "DTLS"] + ["SRTP"] * bool(self.media)
        self.alice = self._browser(lab.a, "alice")
        self.bob = self._browser(lab.b, "bob")
        self.gate = Gate(lab)

    def _browser(self, namespace, user):
        browser = chromium.Browser(namespace, self.lab.directory, user)
        self.lab.closing(browser.stop)
        return browser

    def check_roads(self):
        """The control: without midcomd the browsers connect; it starts, and cuts them off."""
        offer = self.alice.call(self.offering, self.wants)
        answer = self.bob.call(self.answering, self.wants, offer)
        self.alice.call("accept", answer)
        self.complete_directly(offer, answer)
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
        self.agent, self.line = lab.alice()
        self.other = lab.agent(lab.b, "bob", PHONES_B.host4)
        self.agent.register(self.line)
        self.other.register(self.other.connect(PHONES_B.gateway4))
        offer = self.alice.call(self.offering, self.wants)
        self.since = time.time_ns()
        sent = self.agent.invite(self.line, self.other.uri, offer, self.headers)
        self._answer(sent, offer, (self.answering, self.wants))
        for one in (self.alice, self.bob):
            one.call("connected")
        self.delay = (time.monotonic() - self.answered) * 1000

    def restart(self):
        """ICE starts again in a re-INVITE."""
        offer = self.alice.call("restart")
        self._answer(self.dialog.request("INVITE", offer), offer, ("answerAgain",))

    def _answer(self, sent, offer, answering):
        incoming = self.other.expect("INVITE")
        check(incoming.message.body == offer, "the offer was changed on the way")
        answer = self.bob.call(*answering, offer)
        incoming.reply(200, "OK", answer, self.headers)
        final = sent.final()
        check(final.status == 200, f"answered with {final.start}: {final.get('Warning')}")
        check(final.body == answer, "the answer was changed on the way")
        self.answered = time.monotonic()
        self.alice.call("accept", final.body)
        self.dialog, self.other_dialog = sent.dialog(final), incoming.dialog()
        self.dialog.ack()
        self.other.expect("ACK")
        self.complete(offer, answer)

    def complete(self, offer, answer):
        self.ends = candidates(offer), candidates(answer)

    def complete_directly(self, offer, answer):
        pass

    def check_talk(self, count=100):
        """Texts come back; both get that many more packets of each kind of media."""
        before = {one: one.call("figures") for one in (self.alice, self.bob)}
        texts = [f"text {number}" for number in range(count)]
        check(self.alice.call("echo", texts) == texts, "what came back isn't what was sent")
        for kind in self.media:
            for one, had in before.items():
                one.call("received", kind, had[kind] + count)
        self.alice.call("chatter")

    def check_elements(self):
        """What is open is exactly what candidates promised, and carries the browsers' pair. After
        a restart one end of a pair may be of before."""
        lab = self.lab
        open_now = lab.midcomd.pinholes()
        near, far = self.ends
        self.named |= near | far
        for source, sport, destination, dport in open_now:
            pair = {(source, sport), (destination, dport)}
            check(pair & (near | far) and pair <= self.named,
                  f"open, but nobody's candidates: {pair}")
            check(len(pair & near) < 2 and len(pair & far) < 2, f"open on one side: {pair}")
        taking = sinks(lab)
        check(taking and taking <= near | far, f"sinks {taking}, candidates {near | far}")
        five = self.used_pair()
        for tuple4 in (five, five[2:] + five[:2]):
            check(open_now.get(tuple4, 0) > 0, f"{tuple4} is used, open are {open_now}")
        self._probe(five)
        return five

    def wait_gone(self, ends, patience=12):
        """Between these candidates nothing is open, and nothing is waited for there."""
        old = ends[0] | ends[1]
        deadline = time.monotonic() + patience
        while old & sinks(self.lab) or any({one[:2], one[2:]} <= old
                                           for one in self.lab.midcomd.pinholes()):
            check(time.monotonic() < deadline, "the candidates of before are still open")
            time.sleep(0.1)

    def used_pair(self):
        """What both browsers have in use, as (source, port, destination, port) of alice's."""
        deadline = time.monotonic() + 8
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

    def hang_up(self, until_ice_knows):
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
        check(not sinks(self.lab), f"sinks after the BYE: {sinks(self.lab)}")
        if until_ice_knows:
            for one in (self.alice, self.bob):
                one.call("disconnected")
        return self.gate.check_closed("after the answer to the BYE had left", left, 0)


class TrickleCall(BrowserCall):
    """Descriptions without candidates; these come in INFO requests (RFC 8840)."""

    offering, answering = "offerEarly", "answerEarly"
    headers = ("Supported: trickle-ice", "Recv-Info: trickle-ice")

    def complete(self, offer, answer):
        self.gate.check_forwarded_nothing("before a candidate was named", self.since)
        self.ends = (self._inform(self.dialog, self.other, fragments(self.alice, offer), self.bob),
                     self._inform(self.other_dialog, self.agent, fragments(self.bob, answer),
                                  self.alice))

    def complete_directly(self, offer, answer):
        self.bob.call("add", trickled(fragments(self.alice, offer)[-1]))
        self.alice.call("add", trickled(fragments(self.bob, answer)[-1]))

    @staticmethod
    def _inform(dialog, other, bodies, page):
        for body in bodies:
            sent = dialog.request("INFO", body, extra=(
                "Content-Type: application/trickle-ice-sdpfrag", "Info-Package: trickle-ice",
                "Content-Disposition: Info-Package"))
            incoming = other.expect("INFO")
            check(incoming.message.body == body, "the fragment was changed on the way")
            page.call("add", trickled(incoming.message.body))
            incoming.reply(200, "OK")
            answer = sent.final()
            check(answer.status == 200, f"INFO was answered with {answer.start}")
        return candidates(bodies[-1])


def begin(lab, wants, both_families=False, kind=BrowserCall):
    """A call that stands, in whose pages there is talk. `both_families`: of its media."""
    if not chromium.is_installed():
        raise Skip(f"{chromium.PROGRAM} is not installed (init/packages lab)")
    if both_families:
        for link in (PHONES_A, PHONES_B):
            lab.midcomd.replace_in_configuration(
                f"interface = {link.interface}\nmedia = source",
                f"interface = {link.interface}\nmedia = {link.host4}/32\nmedia = {link.host6}/128")
    call = kind(lab, wants)
    call.check_roads()
    call.set_up()
    call.check_talk()
    call.gate.check_forwards(call.kinds, call.since)
    lab.figure(f"{call.alice.version}, {'+'.join(wants)} connected {call.delay:.0f} ms after the "
               f"answer")
    return call


def end(lab, call, until_ice_knows=True):
    """Hangs up; returns the pair that was in use."""
    five = call.check_elements()
    figures = [one.call("figures") for one in (call.alice, call.bob)]
    crossed = [f"{kind} " + "+".join(str(tap.kinds(True, call.since)[kind])
                                     for tap in call.gate.taps.values())
               for kind in call.kinds]
    dropped = call.hang_up(until_ice_knows)
    lab.figure(f"at last {five[0]}:{five[1]} - {five[2]}:{five[3]}")
    lab.figure("forwarded " + ", ".join(crossed))
    for kind in call.media:
        lab.figure(f"{kind} packets got {figures[0][kind]}+{figures[1][kind]}")
    lab.figure(f"after the BYE 0 of {dropped} forwarded"
               + ", both disconnected" * until_ice_knows)
    return five


@scenario("browser-bundle", registrar=True)
def browser_bundle(lab):
    """All a browser has in one BUNDLE, candidates of both families in the peers' networks."""
    end(lab, begin(lab, ("audio", "video", "data"), both_families=True))


@scenario("browser-data", registrar=True)
def browser_data(lab):
    """media = source: the IPv6 candidates are not where signalling comes from, ICE takes others."""
    five = end(lab, begin(lab, ("data",)))
    check(":" not in five[0] + five[2], f"{five} is not what the peers may use")


@scenario("browser-restart", registrar=True, extra="\n[timeouts]\nice-grace = 6s\n")
def browser_restart(lab):
    """ICE restarts in a re-INVITE: new ports and credentials, the same DTLS connection, no gap."""
    call = begin(lab, ("audio", "data"), both_families=True)
    before, old = call.check_elements(), call.ends
    restarted = time.time_ns()
    call.restart()
    while call.used_pair() == before:
        check(time.time_ns() - restarted < 8e9, f"after the restart they still use {before}")
        time.sleep(0.02)
    moved = (time.time_ns() - restarted) / 1e6
    call.check_talk()
    call.gate.check_forwards(("STUN", "SRTP"), restarted)
    lost = [one.call("figures")["lost"] for one in (call.alice, call.bob)]
    gap = max(tap.longest_gap("SRTP", restarted - 10**9) for tap in call.gate.taps.values())
    check(lost == [0, 0] and gap < 1500, f"{lost} packets lost, {gap:.0f} ms without sound")
    call.wait_gone(old)
    after = end(lab, call, until_ice_knows=False)
    check(after != before, f"at last they use {before} as before")
    lab.figure(f"other ports {moved:.0f} ms after the restart, {lost[0]}+{lost[1]} packets lost, "
               f"{gap:.0f} ms without sound at most")


@scenario("browser-trickle", registrar=True)
def browser_trickle(lab):
    """No address in the descriptions at all; the candidates come later, in INFO."""
    end(lab, begin(lab, ("audio", "data"), both_families=True, kind=TrickleCall))


@scenario("browser-candidate", registrar=True,
          extra=f"\n[media]\nforbidden-host = {PHONES_A.host4}/32\n")
def browser_candidate(lab):
    """alice's default address is forbidden: the call lives by candidates the gate sees proven."""
    call = begin(lab, ("audio", "data"), both_families=True)
    admitted = lab.midcomd.wait("gate.admit", by="stun")
    five = end(lab, call)
    check(":" in five[0] and ":" in five[2], f"{five} is not what the peers may use")
    lab.figure(f"the gate admitted {admitted['src']} by {admitted['by']}")
