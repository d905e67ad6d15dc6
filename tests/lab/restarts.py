# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: processes die and tables are flushed during a call."""

import threading
import time

from lab import PHONES_A, PHONES_B, LabError, check, scenario
from midcomd import DEBIAN_12, OWNER, PERSIST

RATE = 200


def check_unbroken(call, what):
    lost = call.at_alice.missing(), call.at_trunk.missing()
    check(lost == (0, 0), f"{lost[0]}+{lost[1]} packets lost {what}")
    return max(call.at_alice.longest_gap(), call.at_trunk.longest_gap())


def answer_bye(trunk, status):
    """The far side answers whatever BYE reaches it in the next seconds."""
    def run():
        try:
            trunk.expect("BYE", 4).reply(status, "Flow Failed")
        except (LabError, OSError):
            pass
    threading.Thread(target=run, daemon=True).start()


def check_bye_over(lab, call, line, status):
    """A participant's BYE over a new connection closes the group whatever the far side says."""
    answer_bye(call.trunk, status)
    before = time.monotonic()
    sent = call.dialog.bye(line=line)
    lab.midcomd.wait_pinholes(0, 6)
    took = (time.monotonic() - before) * 1000
    try:
        answer = str(sent.final(6).status)
    except LabError:
        answer = "nothing"
    call.check_closed("after the BYE over a new connection")
    return f"BYE over a new connection: closed in {took:.0f} ms, answered {answer}"


def check_new_call(lab, call, line):
    again = lab.call_to_trunk(call.alice, line, call.trunk, (30100, 31100))
    again.hang_up()
    again.check_closed("after the new call's BYE")


def reconnect(call):
    deadline = time.monotonic() + 6
    while True:
        try:
            return call.alice.connect(PHONES_A.gateway4, timeout=2)
        except OSError:
            if time.monotonic() > deadline:
                raise LabError("no new connection to midcomd within 6 s") from None
            time.sleep(0.05)


@scenario("restart-agent", masked=True)
def restart_agent(lab):
    lab.start_midcomd()
    call = lab.call_to_trunk(rate=RATE)
    mark = lab.midcomd.mark()
    old = lab.midcomd.kill_role("agent")
    killed = time.monotonic()
    lab.midcomd.role("agent", other_than=old)
    line = reconnect(call)
    back = (time.monotonic() - killed) * 1000
    check(call.line.closed.wait(2), "the dead agent's connection is still open")
    lab.midcomd.wait("process.exit", since=mark)
    time.sleep(0.5)
    call.check_flows("after the agent's death")
    gap = check_unbroken(call, "over the agent's death")
    check(not lab.passes(lab.a, PHONES_A.host4, 40000, lab.b, PHONES_B.host4, 40002),
          "a closed road is open")
    closing = check_bye_over(lab, call, line, 430)
    check_new_call(lab, call, line)
    lab.figure(f"agent back after {back:.0f} ms, 0 of {call.at_trunk.count()}+"
               f"{call.at_alice.count()} packets lost, longest gap {gap:.0f} ms; {closing}")


@scenario("restart-middlebox", masked=True)
def restart_middlebox(lab):
    lab.start_midcomd()
    call = lab.call_to_trunk(rate=RATE)
    before = lab.midcomd.pinholes()
    mark = lab.midcomd.mark()
    killed = time.monotonic()
    lab.midcomd.kill_role("middlebox")
    lab.midcomd.wait("nft.ready", since=mark)
    back = (time.monotonic() - killed) * 1000
    time.sleep(0.5)
    call.check_flows("after the middlebox's death")
    gap = check_unbroken(call, "over the middlebox's death")
    after = lab.midcomd.pinholes()
    check(set(after) == set(before), f"pinholes before {sorted(before)}, after {sorted(after)}")
    check(not call.line.closed.is_set(), "the phone lost its connection")
    lab.check_roads(is_open=False)
    call.hang_up()
    call.check_closed("after the BYE")
    lab.midcomd.wait_pinholes(0)
    check_new_call(lab, call, call.line)
    lab.figure(f"middlebox back after {back:.0f} ms with {len(after)} pinholes adopted, 0 packets "
               f"lost, longest gap {gap:.0f} ms; BYE closes")


@scenario("restart-all", masked=True)
def restart_all(lab):
    lab.start_midcomd()
    call = lab.call_to_trunk(rate=RATE)
    before = lab.midcomd.pinholes()
    lab.midcomd.kill_supervisor()
    call.check_flows("with midcomd dead")
    lab.check_roads(is_open=False)
    mark = lab.midcomd.mark()
    started = time.monotonic()
    lab.midcomd.start()
    back = (time.monotonic() - started) * 1000
    ready = lab.midcomd.wait("nft.ready", since=mark)
    time.sleep(0.3)
    call.check_flows("after the new start")
    gap = check_unbroken(call, "over the death of all")
    after = lab.midcomd.pinholes()
    check(set(after) == set(before), f"pinholes before {sorted(before)}, after {sorted(after)}")
    line = reconnect(call)
    closing = check_bye_over(lab, call, line, 430)
    check_new_call(lab, call, line)
    lab.figure(f"started anew in {back:.0f} ms, {len(after)} pinholes adopted "
               f"({ready.get('groups', '?')} groups), 0 packets "
               f"lost, longest gap {gap:.0f} ms; {closing}")


def flush(lab):
    """`nft flush ruleset` is the attack; unmarked probes measure how long the door stands open."""
    lab.start_midcomd()
    call = lab.call_to_trunk(rate=RATE)
    probe, tap = lab.probe[lab.b], lab.tap[lab.a]
    on, sent = threading.Event(), []

    def run():
        while not on.is_set():
            sent.append(probe.send(PHONES_B.host4, 40000, PHONES_A.host4, 40002))
            time.sleep(0.0001)
    sender = threading.Thread(target=run, daemon=True)
    sender.start()
    time.sleep(0.2)
    first = time.time_ns()
    mark = lab.midcomd.mark()
    done = lab.gateway.run(["nft", "flush", "ruleset"])
    flushed = time.monotonic()
    time.sleep(1.0)
    on.set()
    sender.join()
    span = (time.time_ns() - first) / 1e9
    passed = [stamp for stamp, _, number, _ in list(tap.marked)
              if stamp >= first and number in set(sent)]
    gap = (max(passed) - min(passed)) / 1e6 if passed else 0.0
    rate = len(sent) / (span + 0.2)
    check(time.monotonic() - flushed < 5, "the machine is too slow to tell")
    check(gap < 500, f"the door stood open for {gap:.1f} ms")
    lab.check_roads(is_open=False)
    repaired = lab.midcomd.events("nft.repaired", mark)
    check(repaired or not passed, f"{len(passed)} packets passed in {gap:.2f} ms and no "
          "nft.repaired is in the log")
    call.check_flows("after the flush")
    lost = call.at_alice.missing() + call.at_trunk.missing()
    call.hang_up()
    call.check_closed("after the BYE")
    lab.midcomd.wait_pinholes(0)
    check_new_call(lab, call, call.line)
    accepted = "flushed" if done.returncode == 0 else f"refused ({done.stderr.strip()[:40]})"
    lab.figure(f"{accepted}: {len(passed)} of {len(sent)} unmarked probes passed "
               f"({rate:.0f}/s), gap {gap + (1000 / rate if passed else 0):.1f} ms at most, repaired events {len(repaired)}, "
               f"{lost} call packets lost")


@scenario("flush-ruleset-repaired")
def flush_ruleset_repaired(lab):
    flush(lab)


@scenario("flush-ruleset-repaired-masked", mask=OWNER | DEBIAN_12 | PERSIST)
def flush_ruleset_repaired_masked(lab):
    flush(lab)
