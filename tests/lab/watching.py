# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: what midcomd notices of a call's media."""

import os
import signal
import time

import ua
from lab import PHONES_A, PHONES_B, TRUNK, check, scenario


@scenario("one-way-detected", extra="\n[timeouts]\none-way-after = 1s\n")
def one_way(lab):
    lab.start_midcomd()
    call = lab.call_to_trunk()  # both ways at first
    first = lab.midcomd.wait("media.first", call=call.call_id)
    healthy = time.monotonic()
    lab.midcomd.wait("media.first", call=call.call_id, count=2)
    deaf = lab.call_to_trunk(call.alice, call.line, call.trunk, (30100, 31100))
    mark = lab.midcomd.mark()
    deaf.at_trunk.quiet()
    quiet = time.monotonic()
    noticed = lab.midcomd.wait("media.one_way", since=mark, timeout=6, call=deaf.call_id)
    took = time.monotonic() - quiet
    check(took >= 0.9, f"one way after {took:.1f} s")
    time.sleep(max(0.0, 1.5 - (time.monotonic() - healthy)))
    check(not lab.midcomd.events("media.one_way", call=call.call_id)
          and not lab.midcomd.events("media.none", call=call.call_id),
          "the control failed: a call with sound both ways is called one-way")
    deaf.at_alice.quiet()
    lab.midcomd.wait("media.none", since=mark, timeout=6, call=deaf.call_id)
    call.check_flows("beside the other call")
    deaf.hang_up()
    call.hang_up()
    lab.midcomd.wait_pinholes(0)
    words = " ".join(f"{key}={noticed[key]}" for key in noticed if key not in (
        "ts", "lvl", "ev", "v", "proc", "call", "leg"))
    lab.figure(f"ua=harness, noticed {took:.1f} s after the trunk fell silent ({words}); media.none when "
               f"both had; nothing of the sound call (first packet: {first.get('delay_ms')} ms)")


@scenario("phones-vanish", registrar=True,
          extra="\n[timeouts]\ninactivity = 2s\ninactivity-on-hold = 60s\n")
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
    check(end["call"] != talking.call_id and took >= 1.8, f"ended after {took:.1f} s: {end.text}")
    left = lab.midcomd.wait_pinholes(4)
    check(not set(gone) & set(left), f"open after the phones' death: {sorted(left)}")
    talking.check_flows("of phones that live")
    check(talking.at_alice.missing() + talking.at_trunk.missing() == 0, "media of the living was lost")
    hold(talking)
    time.sleep(2.5)
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
