# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: the gate has too much to do, dies, or isn't there."""

import json
import os
import signal
import subprocess
import sys
import time

import media_ua
from gating import gate, gate_reaches
from ice_calls import IceCall
from lab import CORE, PHONES_A, TRUNK, check, scenario
from media_ua import Call, audio, both_ways, describe, none_pass, rtp
from midcomd import COMPAT_QUEUE, DEBIAN_12, NATIVE_QUEUE
from namespaces import stop
from packets import Tap

FLOOD_RATE, FLOOD_SECONDS, GATE_RATE = 100_000, 3, 100
FLOODERS = ((TRUNK, 31999), (CORE.more4[1], 31999))  # two, for two cores


@scenario("gate-owner-dies", masked=True)
def owner_dies(lab):
    """Nobody judges: nothing new passes, what is open stays; a new owner has the promises again."""
    lab.start_midcomd()
    call = IceCall(lab)
    near, far, other = call.near, call.far, call.other
    check(both_ways(near, far, 100) == (True, True), "the control failed: no media")
    mark = lab.midcomd.mark()
    old = lab.midcomd.role("middlebox")
    os.kill(old, signal.SIGSTOP)  # the queue has an owner that does nothing, then none
    kept = other.ask(near.at, near.own)
    check(both_ways(near, far, 200) == (True, True), "live media needs the queue's owner")
    os.kill(old, signal.SIGKILL)
    alone = 0
    while not lab.midcomd.events("process.up", mark, role="middlebox"):
        other.ask(near.at, near.own)
        alone += 1
        time.sleep(0.005)
    check(not any(source == other.at for _, source, _ in near.received),
          "a check passed while nobody judged")
    check(not other.is_answered(kept, 0), "a packet of the dead owner's queue passed")
    check(both_ways(near, far, 300) == (True, True), "the owner's death cut live media")
    took = other.connects(near.at, near.own, 4)
    check(took is not None, "no check passes with the new owner")
    call.hang_up()
    lab.midcomd.wait_pinholes(0)
    check(none_pass(near, far, 400), "media after the BYE")
    lab.figure(f"ua=harness, 0 of {alone + 1} checks passed without an owner, the next one {took:.0f} ms "
               "after the new one was there; live media 30 of 30; 0 after the BYE")


@scenario("gate-without-queue", mask=DEBIAN_12 | NATIVE_QUEUE | COMPAT_QUEUE)
def without_queue(lab):
    """A kernel without a queue: what only the gate could open stays closed."""
    lab.start_midcomd()
    near, far = media_ua.ends(lab)
    call = Call(lab, describe(PHONES_A.host4, audio(near.port)))
    early = range(100, 105)
    for number in early:
        far.send(rtp(number), near.at)
    call.answer(describe(TRUNK, audio(far.port)))
    check(both_ways(near, far, 200) == (True, True), "no media between exact addresses")
    check(not set(early) & set(near.numbers()), "released without a queue")
    call.hang_up()
    with_ice = IceCall(lab, call.parties)
    check(with_ice.other.connects(with_ice.near.at, with_ice.near.own, 0.4) is None,
          "a check passed without a gate")
    with_ice.hang_up()
    lab.midcomd.wait_pinholes(0)
    lab.figure("ua=harness, media between exact addresses passes; 0 early packets, 0 checks of others")


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


def flooder(lab, source, to):
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flood.py")
    words = [*source, *to, FLOOD_RATE // len(FLOODERS), FLOOD_SECONDS]
    sender = lab.core.popen([sys.executable, program, *map(str, words)], stdout=subprocess.PIPE,
                            text=True)
    lab.closing(lambda: stop(sender))
    return sender


@scenario("gate-flood", masked=True, extra=f"gate-rate = {GATE_RATE}\n")  # of [firewall]
def flood(lab):
    lab.start_midcomd()
    live = lab.call_to_trunk(rate=100)
    call = IceCall(lab, (live.alice, live.line, live.trunk))
    target, spare, other = call.near, call.spare, call.other
    lab.tap[lab.core].close()  # it would see every packet of the flood
    media = Live(lab, live)
    mark, before, entered = lab.midcomd.mark(), gate(lab), received_packets(lab)
    senders = [flooder(lab, source, target.at) for source in FLOODERS]
    lab.midcomd.wait("gate.drop", since=mark)
    beside = other.connects(spare.at, spare.own, 2)
    told = [sender.communicate(timeout=15)[0].split() for sender in senders]
    sent, took = sum(int(count) for count, _ in told), max(float(seconds) for _, seconds in told)
    seen = gate_reaches(lab, "queued", before["queued"] + GATE_RATE * FLOOD_SECONDS // 2)
    queued = seen["queued"] - before["queued"]
    entered = received_packets(lab) - entered
    count, lost = media.in_and_out()
    check(entered >= sent, f"of {sent} packets {entered} reached the gateway")
    check(lost == 0 and count > 200, f"{lost} of {count} packets of the live call were lost")
    check(beside is not None, "the flood at one sink kept a right check from another")
    allowed = GATE_RATE * (took + 2)
    check(0 < queued <= allowed, f"{queued} packets were queued in {took:.1f} s at {GATE_RATE}/s")
    came = [source for _, source, _ in target.received if source in FLOODERS]
    check(not came, f"{len(came)} packets of the flood came to the phone")
    lines = len(lab.midcomd.events("gate.drop", mark))
    check(lines <= 20, f"{lines} lines in the log")
    live.hang_up()
    call.hang_up()
    lab.figure(f"ua=harness, {sent / took / 1000:.0f} kpps for {took:.1f} s: {queued} "
               f"queued (limit {GATE_RATE}/s), 0 passed, {lines} log lines; live call {count} in, "
               f"{count} out; a right check beside it took {beside:.0f} ms")
