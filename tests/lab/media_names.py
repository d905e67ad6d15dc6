# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: host names in the place of media addresses."""

import time

import media_ua
from lab import PHONES_A, PHONES_B, STRANGER, TRUNK, check, scenario
from media_ua import Call, audio, both_ways, none_pass
from names import NameServer

FORBIDDEN = (STRANGER, PHONES_B.host4, PHONES_A.gateway4, "127.0.0.1", "0.0.0.0", "239.1.2.3",
             "169.254.7.7", "255.255.255.255")


def describe(name, *sections):
    """Media at a host of that name."""
    return media_ua.describe("192.0.2.99", *sections).replace("c=IN IP4 192.0.2.99",
                                                              f"c=IN IP4 {name}")


def start(lab, allowed=True):
    """A name server beside midcomd, which finds it by its resolv.conf."""
    server = NameServer(lab.gateway, {"phone.example": (PHONES_A.host4, None),
                                      "desk.example": (TRUNK, None)})
    lab.closing(server.close)
    if allowed:
        for peer in ("phones-a", "trunk"):
            lab.midcomd.replace_in_configuration(f"[peer {peer}]\n",
                                                 f"[peer {peer}]\nmedia-names = resolve\n")
    lab.start_midcomd()
    return server


def refused(lab, alice, line, name):
    """alice's call with media at that name is refused; the seconds it took."""
    begin = time.monotonic()
    sent = alice.invite(line, "sip:desk@trunk.example", describe(name, audio(30000)))
    final = sent.final()
    check(final.status == 488, f"media at {name} was answered with {final.start}")
    lab.midcomd.wait("pinhole.deny", call=sent.call_id)
    return time.monotonic() - begin


@scenario("media-name")
def media_name(lab):
    """Looked up, believed like a literal, and pinned."""
    server = start(lab)
    near, far = media_ua.ends(lab)
    offer = describe("phone.example", audio(near.port))
    answer = describe("desk.example", audio(far.port))
    call = Call(lab, offer).answer(answer)
    check(both_ways(near, far, 100) == (True, True), "no media between named hosts")
    asked = server.asked
    check(asked == 2, f"the name server was asked {asked} times")
    server.records.update({"phone.example": (STRANGER, None), "desk.example": (STRANGER, None)})
    call.change(offer, answer)
    check(both_ways(near, far, 200) == (True, True), "the same descriptions mean something else")
    check(server.asked == asked, "looked up again")
    call.hang_up()
    check(none_pass(near, far, 300), "media after the BYE")

    alice, line, _ = call.parties
    for address in FORBIDDEN:
        server.records["lie.example"] = (address, None)
        refused(lab, alice, line, "lie.example")
    refused(lab, alice, line, "nowhere.example")
    server.silent.add("silent.example")
    server.records.update({"phone.example": (PHONES_A.host4, None), "desk.example": (TRUNK, None)})
    waiting = alice.invite(line, "sip:desk@trunk.example", describe("silent.example", audio(30010)))
    begin = time.monotonic()
    other = Call(lab, offer, call.parties).answer(answer)
    check(both_ways(near, far, 400) == (True, True), "no media beside a call that waits for a name")
    beside = time.monotonic() - begin
    final = waiting.final()
    waited = time.monotonic() - begin
    check(final.status == 488 and 1.5 < waited < 4, f"{final.start} after {waited:.1f} s")
    check(beside < waited, f"the other call took {beside:.1f} s")
    lab.midcomd.wait("name.fail", host="silent.example", reason="timeout")
    other.hang_up()
    check(none_pass(near, far, 500), "media after the BYE")
    lab.figure(f"ua=harness, 2 names looked up once each, {len(FORBIDDEN)} forbidden addresses and "
               f"no address: 488; a silent server: 488 after {waited:.1f} s, another call beside it "
               f"in {beside:.2f} s")


@scenario("media-name-refused")
def media_name_refused(lab):
    """By default nobody is asked."""
    server = start(lab, allowed=False)
    alice, line = lab.alice()
    refused(lab, alice, line, "phone.example")
    check(server.asked == 0, "the name server was asked")
    lab.figure("ua=harness, 488, no question to the name server")
