# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: what a changed, shared or replaced stream opens and closes."""

import time

import media_ua
import ua
from calls import carry, passes_tuple
from lab import PHONES_A, PHONES_B, TRUNK, check, scenario
from media_ua import Call, audio, both_ways, describe, fax, none_pass, rtcp, udptl, video
from packets import Tap


class Crossing:
    """What enters the gateway at one interface and leaves at another."""

    def __init__(self, lab):
        self._taps = {name: Tap(lab.gateway, name) for name in ("phones-a", "core")}
        for tap in self._taps.values():
            lab.closing(tap.close)
        self._since = time.time_ns()  # both are there

    def seen(self, interface, outgoing):
        return {(flow, number) for stamp, out, number, flow in list(self._taps[interface].marked)
                if out == outgoing and stamp >= self._since}

    def lost(self):
        """(entered, lost) towards the trunk and towards alice."""
        found = []
        for near, far in (("phones-a", "core"), ("core", "phones-a")):
            entered = self.seen(near, False)
            deadline = time.monotonic() + 1
            while entered - self.seen(far, True) and time.monotonic() < deadline:
                time.sleep(0.02)
            found.append((len(entered), len(entered - self.seen(far, True))))
        return found


def _move(call, old, new, version, follows_at_once):
    """alice's media goes on at another port; the trunk's, when it has answered or has heard her."""
    sent = call.dialog.request("INVITE", ua.sdp(PHONES_A.host4, new.port, version=version))
    incoming = call.trunk.expect("INVITE")
    check(old.wait(10, since=time.time_ns()), "the old port is mute before the answer")
    incoming.reply(200, "OK", ua.sdp(TRUNK, call.t_port, version=version))
    if follows_at_once:
        call.at_trunk.send_to(PHONES_A.host4, new.port, 200)
    answer = sent.final()
    since = time.time_ns()
    check(answer.status == 200, f"re-INVITE: {answer.start}")
    old.quiet()
    new.send_to(TRUNK, call.t_port, 200)
    call.dialog.ack()
    call.trunk.expect("ACK")
    check(call.at_trunk.wait(20, since=since), f"no media from the new port {new.port}")
    if not follows_at_once:
        check(old.wait(10, since=since), "the old port is mute at the answer")
        call.at_trunk.send_to(PHONES_A.host4, new.port, 200)
    check(new.wait(20, since=since), f"no media at the new port {new.port}")


@scenario("port-change-keeps-audio", masked=True)
def port_change(lab):
    """RFC 3264 8.3.1: the old port receives until media arrives on the new one."""
    lab.start_midcomd()
    call = lab.call_to_trunk(rate=200)
    crossing = Crossing(lab)
    new = lab.media(lab.a, PHONES_A.host4, 30010)
    _move(call, call.at_alice, new, 2, follows_at_once=True)
    _move(call, new, call.at_alice, 3, follows_at_once=False)
    call.at_trunk.quiet()
    call.at_alice.quiet()
    time.sleep(0.02)
    (out, lost_out), (back, lost_back) = crossing.lost()
    check(lost_out == 0 and lost_back == 0,
          f"{lost_out} of {out} packets to the trunk and {lost_back} of {back} to alice were lost")
    call.hang_up()
    lab.midcomd.wait_pinholes(0)
    check(not call.is_open(), "open after the BYE")
    lab.figure(f"ua=harness, 2 changes, {out}+{back} packets entered the gateway, all left it; "
               "0 after the BYE")


@scenario("rtcp-mux", registrar=True)
def rtcp_mux(lab):
    lab.start_midcomd()
    alice, bob = lab.phones(mux="yes")
    muxed = carry(lab, alice, bob, 1.0)
    check(len(muxed) == 2, f"{len(muxed)} pinholes of a muxed call: {sorted(muxed)}")
    for one in (alice, bob):
        one.stop()
    near, far = media_ua.ends(lab)
    call = None
    opened = {}
    for mux in ("rtcp-mux", "rtcp-fb:* nack"):  # the second one is the control
        offer = describe(PHONES_A.host4, audio(near.port, mux))
        reply = describe(TRUNK, audio(far.port, mux))
        call = Call(lab, offer, call and call.parties).answer(reply)
        check(both_ways(near, far, 100) == (True, True), f"{mux}: no RTP")
        check(both_ways(near, far, 200, rtcp) == (True, True), f"{mux}: no RTCP on RTP's port")
        opened[mux] = lab.passes(lab.core, TRUNK, far.port + 1, lab.a, PHONES_A.host4, near.port + 1)
        call.hang_up()
        near.received.clear()
        far.received.clear()
        check(none_pass(near, far, 300), "media after the BYE")
    check(list(opened.values()) == [False, True], f"RTCP's own port is open: {opened}")
    lab.figure("ua=baresip and harness; port + 1 closed when muxed, open when not")


@scenario("bundle-video-and-audio")
def bundle(lab):
    """RFC 8843: one flow for all; a bundle the answer refuses has its own flows."""
    lab.start_midcomd()
    near, far = media_ua.ends(lab)
    video_near, video_far = media_ua.ends(lab, 30020, 31020)
    call = None

    def sections(audio_port, video_port, mids=("mid:a", "mid:v")):
        return (audio(audio_port, mids[0], "rtcp-mux"), video(video_port, mids[1], "rtcp-mux"))

    offer = describe(PHONES_A.host4, *sections(near.port, video_near.port),
                     session=["group:BUNDLE a v"])
    call = Call(lab, offer)
    call.answer(describe(TRUNK, *sections(far.port, far.port), session=["group:BUNDLE a v"]))
    check(both_ways(near, far, 100) == (True, True), "no audio")
    check(both_ways(near, far, 200, lambda n: media_ua.rtp(n, 96, ssrc=7)) == (True, True),
          "no video in the bundle")
    bundled = lab.midcomd.wait_pinholes(2)
    check(none_pass(video_near, video_far, 300), "video's own ports are open in a bundle")
    call.change(describe(PHONES_A.host4, *sections(near.port, 0), version=2,
                         session=["group:BUNDLE a"]),
                describe(TRUNK, *sections(far.port, 0), version=2, session=["group:BUNDLE a"]))
    check(both_ways(near, far, 400) == (True, True), "no audio after the video has gone")
    call.hang_up()
    apart = Call(lab, offer, call.parties)
    apart.answer(describe(TRUNK, *sections(far.port, video_far.port)))
    check(both_ways(near, far, 500) == (True, True), "no audio without a bundle")
    check(both_ways(video_near, video_far, 500) == (True, True),
          "the control failed: no video on its own ports without a bundle")
    flows = len(lab.midcomd.pinholes())
    apart.hang_up()
    lab.midcomd.wait_pinholes(0)
    check(none_pass(near, far, 600) and none_pass(video_near, video_far, 600), "media after the BYE")
    lab.figure(f"ua=harness, audio and video through {len(bundled)} pinholes, {flows} without a "
               "bundle; 0 on video's own ports in it")


@scenario("t38-switch", extra="\n[timeouts]\ngrace = 300ms\n")
def t38_switch(lab):
    lab.start_midcomd()
    near, far = media_ua.ends(lab)
    fax_near, fax_far = media_ua.ends(lab, 30040, 31040)
    call = Call(lab, describe(PHONES_A.host4, audio(near.port)))
    call.answer(describe(TRUNK, audio(far.port)))
    check(both_ways(near, far, 100) == (True, True), "no audio")
    check(none_pass(fax_near, fax_far, 100, udptl), "UDPTL passes before the switch")
    call.change(describe(PHONES_A.host4, fax(fax_near.port), version=2),
                describe(TRUNK, fax(fax_far.port), version=2))
    check(both_ways(fax_near, fax_far, 200, udptl) == (True, True), "no UDPTL after the switch")
    rtcp_open = lab.passes(lab.core, TRUNK, fax_far.port + 1, lab.a, PHONES_A.host4,
                           fax_near.port + 1)
    check(not rtcp_open, "UDPTL has a port for RTCP")
    lab.midcomd.wait_pinholes(2)
    check(none_pass(near, far, 300), "audio's ports are open during the fax")
    call.change(describe(PHONES_A.host4, audio(near.port), version=3),
                describe(TRUNK, audio(far.port), version=3))
    check(both_ways(near, far, 1000) == (True, True), "no audio after the fax")
    lab.midcomd.wait_pinholes(4)
    check(none_pass(fax_near, fax_far, 2000, udptl), "the fax's ports are open during audio")
    call.hang_up()
    lab.midcomd.wait_pinholes(0)
    check(none_pass(near, far, 5000), "audio after the BYE")
    lab.figure("ua=harness, audio, UDPTL, audio; each closed while the other runs, 0 after the BYE")


class Branch:
    """One of bob's telephones and its media."""

    def __init__(self, lab, number):
        self.agent = lab.agent(lab.b, "bob", PHONES_B.host4)
        self.agent.register(self.agent.connect(PHONES_B.gateway4))
        self.end = media_ua.End(lab, lab.b, PHONES_B.host4, 32000 + 10 * number)
        self.description = describe(PHONES_B.host4, audio(self.end.port))
        self.incoming = None


@scenario("fork-four-branches", registrar=True)
def fork(lab):
    lab.start_midcomd()
    alice, line = lab.alice()
    branches = [Branch(lab, number) for number in range(4)]
    near = media_ua.End(lab, lab.a, PHONES_A.host4, 30000)
    sent = alice.invite(line, "sip:bob@example.org", describe(PHONES_A.host4, audio(near.port)))
    for one in branches:
        one.incoming = one.agent.expect("INVITE")
    check(not any(lab.midcomd.pinholes()), "open before any answer")
    for number, one in enumerate(branches):
        one.incoming.reply(183, "Session Progress", one.description)
        sent.response(183)
        check(both_ways(near, one.end, 100 * number) == (True, True),
              f"no early media of branch {number + 1}")
        check(all(both_ways(near, other.end, 1000 * number + 10 * index + 5000) == (True, True)
                  for index, other in enumerate(branches[:number])),
              f"branch {number + 1} closed an earlier one")
    early = len(lab.midcomd.pinholes())
    winner = branches[2]
    winner.incoming.reply(200, "OK", winner.description)
    final = sent.final()
    check(final.status == 200, f"the call was answered with {final.start}")
    dialog = sent.dialog(final)
    dialog.ack()
    winner.agent.expect("ACK")
    for one in branches:
        if one is not winner:
            one.agent.expect("CANCEL").reply(200, contact=False)
            one.incoming.reply(487, "Request Terminated")
    left = lab.midcomd.wait_pinholes(early // 4)
    ports = {port for source, port, _, _ in left if source == PHONES_B.host4}
    check(ports == {winner.end.port, winner.end.port + 1}, f"open at bob's: {ports}")
    check(both_ways(near, winner.end, 20000) == (True, True), "no media of the branch that won")
    for one in branches:
        check(one is winner or none_pass(near, one.end, 21000), "a branch that lost is open")
    bye = dialog.bye()
    winner.agent.expect("BYE").reply(200)
    check(bye.final().status == 200, "BYE")
    lab.midcomd.wait_pinholes(0)
    check(none_pass(near, winner.end, 22000), "media after the BYE")
    lab.figure(f"ua=harness, forked by Kamailio: {early} pinholes of 4 early branches, {len(left)} of "
               "the one that won, 0 after the BYE")


@scenario("refer-replaces", registrar=True)
def refer_replaces(lab):
    """Attended transfer (RFC 5589 7.3): the trunk hands its call with alice over to bob."""
    lab.start_midcomd()
    near, far = media_ua.ends(lab)
    alice, line = lab.alice()
    alice.register(line)
    bob = lab.agent(lab.b, "bob", PHONES_B.host4)
    bob_line = bob.connect(PHONES_B.gateway4)
    bob.register(bob_line)
    at_bob = media_ua.End(lab, lab.b, PHONES_B.host4, 32000)
    again = media_ua.End(lab, lab.a, PHONES_A.host4, 30050)
    first = Call(lab, describe(PHONES_A.host4, audio(near.port)), (alice, line, lab.trunk()))
    first.answer(describe(TRUNK, audio(far.port)))
    check(both_ways(near, far, 100) == (True, True), "no media before the transfer")
    before = set(lab.midcomd.pinholes())

    refer = first.trunk_dialog.request("REFER", extra=[
        f"Refer-To: <{bob.uri}>", f"Contact: {first.trunk.contact(first.line)}"])
    alice.expect("REFER").reply(202, "Accepted")
    check(refer.final().status == 202, "REFER")
    check(set(lab.midcomd.pinholes()) == before, "REFER alone changed the rules")

    from_tag, to_tag = (value.partition("tag=")[2] for value in (first.dialog.local,
                                                                first.dialog.remote))
    offer, reply = describe(PHONES_B.host4, audio(at_bob.port)), describe(
        PHONES_A.host4, audio(again.port))
    sent = bob.invite(bob_line, alice.uri, offer, extra=[
        f"Replaces: {first.call_id};to-tag={from_tag};from-tag={to_tag}", "Require: replaces"])
    incoming = alice.expect("INVITE")
    check("Replaces" in dict(incoming.message.headers), "Replaces was lost")
    incoming.reply(200, "OK", reply)
    final = sent.final()
    check(final.status == 200, f"the new call: {final.start}")
    dialog = sent.dialog(final)
    dialog.ack()
    alice.expect("ACK")
    check(both_ways(again, at_bob, 200) == (True, True), "no media in the new dialog")
    check(both_ways(near, far, 300) == (True, True), "the new dialog closed the old one")
    both = set(lab.midcomd.pinholes())
    first.hang_up()
    left = set(lab.midcomd.wait_pinholes(len(both - before)))
    check(left == both - before and before < both, "the old dialog's BYE closed others than its own")
    check(none_pass(near, far, 400), "the old dialog is open after its BYE")
    check(both_ways(again, at_bob, 500) == (True, True), "the old dialog's BYE closed the new one")
    bye = dialog.bye()
    alice.expect("BYE").reply(200)
    check(bye.final().status == 200, "BYE of the new dialog")
    lab.midcomd.wait_pinholes(0)
    check(not any(passes_tuple(lab, one) for one in both), "open after both have ended")
    lab.figure(f"ua=harness, {len(before)} pinholes, {len(both)} with both dialogs, {len(left)} after "
               "the old one's BYE, 0 after the new one's")
