# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: ICE (RFC 8445, 8839, 8840) through the gate."""

import media_ua
import ua
from calls import carry
from ice import Credentials, IceEnd, binding_request, candidate
from lab import IN_CORE, PHONES_A, TRUNK, check, scenario
from media_ua import Call, audio, both_ways, describe, none_pass

OUTSIDE = "203.0.113.99", 31500  # in nobody's media networks


class Side:
    """One party of an ICE call: its credentials, its ports, what it says of them."""

    def __init__(self, lab, namespace, address, ports, controlling):
        self.own = Credentials()
        self._lab, self._namespace, self._address = lab, namespace, address
        self._controlling = controlling
        self.ends = [self.end(port) for port in ports]

    def end(self, port):
        return IceEnd(self._lab, self._namespace, self._address, port, self.own, self._controlling)

    def description(self, version=1, ends=None, options=()):
        ends = self.ends if ends is None else ends
        return describe(self._address, audio(
            ends[0].port, "rtcp-mux", *self.own.attributes(), *options,
            *(candidate(*end.at, number) for number, end in enumerate(ends, 1))), version=version)

    def restart(self, *ports):
        self.own = Credentials()
        self.ends = [self.end(port) for port in ports]

    def trickle(self):
        """A description without an address, and the fragment that names the candidates."""
        attributes = [*self.own.attributes(), "ice-options:trickle"]
        whole = describe("0.0.0.0", audio(9, "rtcp-mux", "mid:1", *attributes))
        lines = [*self.own.attributes(), *(candidate(*end.at, number)
                                           for number, end in enumerate(self.ends, 1)),
                 "end-of-candidates"]
        fragment = (f"a={lines[0]}\r\na={lines[1]}\r\nm=audio 9 RTP/AVP 0\r\na=mid:1\r\n"
                    + "".join(f"a={line}\r\n" for line in lines[2:]))
        return whole, fragment


def sides(lab, a_ports=(30000,), t_ports=(31000, 31002)):
    return (Side(lab, lab.a, PHONES_A.host4, a_ports, True),
            Side(lab, lab.core, TRUNK, t_ports, False))


class IceCall(Call):
    """Answered, its first pair connected: ends `near` and `spare` of alice's, `far` and `other` of
    the trunk's; `spare` and `other` are candidates not used yet."""

    def __init__(self, lab, parties=None):
        own, theirs = Credentials(), Credentials()
        self.near, self.spare = (IceEnd(lab, lab.a, PHONES_A.host4, port, own)
                                 for port in (30200, 30202))
        self.far, self.other = (IceEnd(lab, lab.core, TRUNK, port, theirs, False)
                                for port in (31200, 31202))
        super().__init__(lab, self._describe(self.near, self.spare), parties)
        self.answer(self._describe(self.far, self.other))
        check(self.far.connects(self.near.at, own) is not None, "no ICE")

    @staticmethod
    def _describe(*ends):
        return describe(ends[0].address, audio(
            ends[0].port, "rtcp-mux", *ends[0].own.attributes(),
            *(candidate(*end.at, number) for number, end in enumerate(ends, 1))))


def real_phones(lab, six):
    lab.start_midcomd()
    alice, bob = lab.phones(six=six, nat="ice", mux="yes", trace=True)
    pairs = {}
    carry(lab, alice, bob, during=lambda: pairs.update(lab.midcomd.pinholes()))
    for one in (alice, bob):
        check("DTLS-SRTP complete" in one.text(), f"{one.user} had no DTLS-SRTP")
        check("connectivity check is complete" in one.text(), f"{one.user} had no ICE")
        check("typ host" in one.text(), f"{one.user} named no candidate")
    ends = {flow[:2] for flow in pairs}
    check(len(pairs) == 2 and len(ends) == 2, f"open besides the chosen pair: {sorted(pairs)}")
    check(all((":" in address) == six for address, _ in ends), f"the other family: {ends}")
    lab.figure(f"ua=baresip, ICE and DTLS-SRTP complete, {len(pairs)} elements for the one pair")


@scenario("ice-dtls", registrar=True, masked=True)
def ice_dtls(lab):
    real_phones(lab, six=False)


@scenario("ice-dtls-ipv6", registrar=True)
def ice_dtls_six(lab):
    real_phones(lab, six=True)


@scenario("ice-restart")
def ice_restart(lab):
    lab.start_midcomd()
    alice, trunk = sides(lab)
    near, far, other = alice.ends[0], *trunk.ends
    call = Call(lab, alice.description())
    call.answer(trunk.description())
    old_alice, old_trunk = alice.own, trunk.own
    first = far.connects(near.at, old_alice)
    check(first is not None and near.connects(far.at, old_trunk) is not None, "no ICE")
    check(other.connects(near.at, old_alice) is not None, "the second candidate's check is lost")
    check(both_ways(near, far, 100) == (True, True), "no media")

    alice.restart(30010)
    trunk.restart(31010, 31012)
    new_near, new_far, new_other = alice.ends[0], *trunk.ends
    call.change(alice.description(2), trunk.description(2))
    check(both_ways(near, far, 200) == (True, True), "the restart cut the media of the old pair")
    crossed = new_far.connects(near.at, old_alice)
    check(crossed is not None, "a check from a new to an old candidate is lost")
    stale = f"{old_alice.ufrag}:{old_trunk.ufrag}"
    for _ in range(3):
        new_other.ask(new_near.at, alice.own, stale, old_alice.password)
    check(new_near.wait(lambda data: stale.encode() in data, 0.2) is None,
          "a check with the old ufrag came to a new candidate")
    again = new_other.connects(new_near.at, alice.own)
    check(again is not None, "the new ufrag's check is lost")
    check(new_far.connects(new_near.at, alice.own) is not None, "no new pair")
    check(both_ways(near, far, 250) == (True, True), "checks of the new pair cut the old one")
    check(both_ways(new_near, new_far, 300) == (True, True), "no media on the new pair")
    call.hang_up()
    lab.midcomd.wait_pinholes(0)
    check(none_pass(new_near, new_far, 400) and none_pass(near, far, 400), "media after the BYE")
    lab.figure(f"ua=harness, first pair after {first:.0f} ms, after the restart {again:.0f} ms, new "
               f"with old {crossed:.0f} ms; old pair kept meanwhile, a stale ufrag gets nowhere, 0 "
               "after the BYE")


@scenario("trickle-ice")
def trickle_ice(lab):
    lab.start_midcomd()
    alice, trunk = sides(lab)
    near, far, other = alice.ends[0], *trunk.ends
    (offer, from_alice), (reply, from_trunk) = alice.trickle(), trunk.trickle()
    call = Call(lab, offer)
    call.answer(reply)
    check(far.connects(near.at, alice.own, 0.2) is None, "open before a candidate was named")
    what = ["Content-Type: application/trickle-ice-sdpfrag", "Info-Package: trickle-ice",
            "Content-Disposition: Info-Package"]
    _inform(call.dialog, call.trunk, from_alice, what)
    _inform(call.trunk_dialog, call.alice, from_trunk, what)
    took = far.connects(near.at, alice.own)
    check(took is not None, "no check passes after the candidates were named")
    check(near.connects(far.at, trunk.own) is not None, "no check of alice's passes")
    check(other.connects(near.at, alice.own) is not None, "the second candidate's check is lost")
    check(both_ways(near, far, 100) == (True, True), "no media")
    call.hang_up()
    lab.midcomd.wait_pinholes(0)
    check(none_pass(near, far, 200), "media after the BYE")
    lab.figure(f"ua=harness, nothing before INFO, a pair {took:.0f} ms after it, 0 after the BYE")


def _inform(dialog, other, fragment, headers):
    sent = dialog.request("INFO", fragment, extra=headers)
    incoming = other.expect("INFO")
    check(incoming.message.body == fragment, "the fragment was changed on the way")
    incoming.reply(200, "OK")
    check(sent.final().status == 200, "INFO")


def wrong_checks(own, sender):
    """(what is wrong, the packet): Binding requests and the like that aren't of this session."""
    right = f"{own.ufrag}:{sender.ufrag}"
    yield "receiver's ufrag", binding_request(f"{ua.token()}:{sender.ufrag}", own.password)
    yield "sender's ufrag", binding_request(f"{own.ufrag}:{ua.token()}", own.password)
    yield "both swapped", binding_request(f"{sender.ufrag}:{own.ufrag}", own.password)
    yield "prefix of the ufrag", binding_request(f"{own.ufrag[:-1]}:{sender.ufrag}", own.password)
    yield "password", binding_request(right, "x" * 24)
    yield "no integrity", binding_request(right, None)
    yield "no fingerprint", binding_request(right, own.password, fingerprint=False)
    good = binding_request(right, own.password)
    yield "fingerprint", good[:-1] + bytes([good[-1] ^ 1])
    yield "length", good + b"\0\0\0\0"
    yield "response", b"\x01\x01" + good[2:]
    yield "DTLS", media_ua.client_hello()
    yield "RTP", media_ua.rtp(1, 96)


@scenario("gate-wrong-ufrag")
def wrong_ufrag(lab):
    lab.start_midcomd()
    alice, trunk = sides(lab)
    near, far, other = alice.ends[0], *trunk.ends
    call = Call(lab, alice.description())
    call.answer(trunk.description())
    check(far.connects(near.at, alice.own) is not None, "the control failed: no ICE at all")
    mark = lab.midcomd.mark()
    tried = list(wrong_checks(alice.own, trunk.own))
    for _, packet in tried:
        other.send(packet, near.at)
    drop = lab.midcomd.wait("gate.drop", since=mark)
    came = [what for what, packet in tried if near.wait(lambda data, p=packet: data == p, 0.02)]
    check(not came, f"at alice's came the check with the wrong {', '.join(came)}")
    took = other.connects(near.at, alice.own)
    check(took is not None, "the right check is lost")
    admit = lab.midcomd.wait("gate.admit", since=mark, call=call.call_id)
    check(f"{TRUNK}:{other.port}" in admit.get("src", ""), f"admitted: {admit.text}")
    call.hang_up()
    lab.midcomd.wait_pinholes(0)
    lab.figure(f"ua=harness, 0 of {len(tried)} wrong packets came (first: {drop.get('reason')}), the "
               f"right one after {took:.0f} ms, by={admit.get('by')}")


@scenario("gate-any-verified")
def any_verified(lab):
    """STUN alone makes another address of the far side's network the sender, and only with proof."""
    lab.midcomd.replace_in_configuration(
        "[peer trunk]\nkind = trunk\n",
        f"[peer trunk]\nkind = trunk\nmedia-source = any-verified\nmedia = {IN_CORE}/32\n")
    lab.start_midcomd()
    call = IceCall(lab)
    near, theirs = call.near, call.far.own
    moved = IceEnd(lab, lab.core, IN_CORE, 31500, theirs, False)
    for number in range(3):
        moved.send(media_ua.rtp(500 + number), near.at)
    moved.ask(near.at, near.own, password="x" * 24)
    moved.ask(near.at, near.own, f"{near.own.ufrag}:{ua.token()}")
    check(not near.wait_from(moved.at, 0.2), "an address is believed without proof")
    took = moved.connects(near.at, near.own)
    check(took is not None, "a right check from a new address is lost")
    check(both_ways(near, moved, 600) == (True, True), "no media with the address proved")
    lab.probe[lab.core].send_payload(*OUTSIDE, *near.at, binding_request(
        f"{near.own.ufrag}:{theirs.ufrag}", near.own.password))
    check(not near.wait_from(OUTSIDE, 0.2), "an address outside all media networks was admitted")
    check(both_ways(near, call.far, 700) == (True, True), "the signalled pair is cut")
    call.hang_up()
    lab.midcomd.wait_pinholes(0)
    check(none_pass(near, moved, 800), "media after the BYE")
    lab.figure(f"ua=harness, {IN_CORE} admitted {took:.0f} ms after its check, not for RTP or wrong "
               "checks; one outside all media networks never; 0 after the BYE")
