# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: what midcomd notices of a call's media."""

import os
import signal
import time

import ua
from lab import PHONES_A, PHONES_B, TRUNK, check, scenario
from media_ua import Call

ONE_WAY = "\n[media]\none-way-after = 1s\n"
VANISH = "\n[media]\none-way-after = 1s\ninactivity = 1s\ninactivity-on-hold = 60s\n"


class Talk(Call):
    """A call with numbered media at both ends, of which some send."""

    def __init__(self, lab, port, parties=None, alice_sends=True, trunk_sends=True):
        super().__init__(lab, ua.sdp(PHONES_A.host4, port), parties)
        self.at_alice = lab.media(lab.a, PHONES_A.host4, port)
        self.at_trunk = lab.media(lab.core, TRUNK, port + 1000)
        self.answer(ua.sdp(TRUNK, port + 1000))
        if alice_sends:
            self.at_alice.send_to(TRUNK, port + 1000)
        if trunk_sends:
            self.at_trunk.send_to(PHONES_A.host4, port)

    def events(self, name):
        return self.lab.midcomd.events(name, call=self.call_id)


@scenario("one-way-detected", extra=ONE_WAY)
def one_way(lab):
    lab.start_midcomd()
    sound = Talk(lab, 30000)
    parties = sound.parties
    began = time.monotonic()
    deaf = Talk(lab, 30100, parties, trunk_sends=False)
    dumb = Talk(lab, 30200, parties, alice_sends=False)
    silent = Talk(lab, 30300, parties, alice_sends=False, trunk_sends=False)
    words = []
    for call, name in ((deaf, "media.one_way"), (dumb, "media.one_way"), (silent, "media.none")):
        noticed = lab.midcomd.wait(name, timeout=6, call=call.call_id)
        words.append(" ".join(f"{key}={noticed[key]}" for key in noticed if key not in (
            "ts", "lvl", "ev", "v", "proc", "call", "leg")))
    took = time.monotonic() - began
    check(took >= 0.9, f"called silent after {took:.1f} s")
    check(deaf.at_trunk.count() > 10 and deaf.at_alice.count() == 0, "the control failed: not one way")
    for call, name in ((sound, "media.one_way"), (sound, "media.none"), (deaf, "media.none"),
                       (silent, "media.one_way")):
        check(not call.events(name), f"wrongly: {name}")
    check(words[0] != words[1], f"which way isn't told: {words[0]}")
    first = {event.get("dir"): event for event in sound.events("media.first")}
    check(len(first) == 2, f"first packets of the sound call: {sorted(first)}")
    for call in (sound, deaf, dumb, silent):
        call.hang_up()
    lab.midcomd.wait_pinholes(0)
    lab.figure(f"ua=harness, after {took:.1f} s: {'; '.join(words)}; nothing of the sound call, whose first "
               f"packets came {' and '.join(one.get('open_ms', '?') for one in first.values())} ms after "
               "its pinholes")


@scenario("phones-vanish", registrar=True,
          extra=VANISH)
def phones_vanish(lab):
    """Both phones stop without a word; their connections stay."""
    lab.start_midcomd()
    alice, bob = lab.phones()
    talking = lab.call_to_trunk()
    alice.dial(bob.uri)
    for one in (alice, bob):
        one.wait("CALL_ESTABLISHED")
        one.wait("CALL_RTPESTAB")
    gone = [five for five in lab.midcomd.pinholes()
            if {five[0], five[2]} == {PHONES_A.host4, PHONES_B.host4}]
    check(gone, "the call has no pinholes")
    mark = lab.midcomd.mark()
    for one in (alice, bob):
        os.kill(one.pid, signal.SIGSTOP)
        lab.closing(lambda pid=one.pid: os.kill(pid, signal.SIGCONT))
    stopped = time.monotonic()
    end = lab.midcomd.wait("call.end", since=mark, timeout=8, reason="media-timeout")
    took = time.monotonic() - stopped
    check(end["call"] != talking.call_id and took >= 0.9, f"ended after {took:.1f} s: {end.text}")
    left = lab.midcomd.wait_pinholes(4)
    check(not set(gone) & set(left), f"open after the phones' death: {sorted(left)}")
    talking.check_flows("of phones that live")
    check(talking.at_alice.missing() + talking.at_trunk.missing() == 0, "media of the living was lost")
    hold(talking)
    time.sleep(2.2)  # longer than it took to notice the dead
    check(len(lab.midcomd.events("call.end", mark)) == 1, "a call on hold was ended too")
    talking.hang_up()
    lab.midcomd.wait_pinholes(0)
    lab.figure(f"ua=baresip, call.end reason=media-timeout {took:.1f} s after both stopped, their "
               f"{len(gone)} pinholes gone; a living call loses nothing, one on hold stays")


def hold(call):
    """Both fall silent, as agreed."""
    call.at_alice.quiet()
    call.at_trunk.quiet()
    sent = call.dialog.request("INVITE", ua.sdp(PHONES_A.host4, call.a_port, direction="inactive",
                                                version=2))
    call.trunk.expect("INVITE").reply(200, "OK", ua.sdp(TRUNK, call.t_port, direction="inactive",
                                                       version=2))
    check(sent.final().status == 200, "hold")
    call.dialog.ack()
    call.trunk.expect("ACK")
