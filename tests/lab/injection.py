# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario: third parties send media to a phone (RTPBleed)."""

import time

import media_ua
from gating import Arrivals
from ice import Credentials, IceEnd, binding_request, candidate
from lab import CORE, PHONES_A, PHONES_B, TRUNK, check, scenario
from media_ua import Call, audio, both_ways, client_hello, describe, number_of, rtcp, rtp

FORGED = 9  # number of their packets
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
        yield rtp(FORGED)
        yield rtp(FORGED, 96)
        yield rtcp(FORGED)
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
        for packet in (rtp(FORGED), rtcp(FORGED)):  # in the trunk's name, from phone B's network
            self._lab.probe[self._lab.b].send_payload(TRUNK, 31000, self._near.address,
                                                      self._near.port, packet)

    def check(self, when):
        """All of them reached the gateway, none the phone."""
        ours = {(address, sport) for _, address, sport in STRANGERS}
        deadline = time.monotonic() + 2
        while sum(self.count(one, ours) for one in self._gateway) < self.sent:
            check(time.monotonic() < deadline,
                  "the control failed: the attack did not reach the gateway")
            time.sleep(0.005)
        time.sleep(0.05)
        came = [flow for _, flow, payload in list(self._phone.came)
                if flow[:2] in ours or number_of(payload) == FORGED]
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


@scenario("third-party-injection", masked=True)
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
