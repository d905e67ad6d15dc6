# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: the processes that hold the S/MIME keys."""

import os
import pwd
import signal
import time

from lab import LabError, check, scenario

OPENERS = 2


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def check_confined(pid):
    """An account of its own, no capability, a filter of system calls, nothing but its channels."""
    status, account = status_of(pid), pwd.getpwnam("midcomd-opener")
    check(status["Uid"].split() == [str(account.pw_uid)] * 4, f"opener's uids: {status['Uid']}")
    check(status["Gid"].split() == [str(account.pw_gid)] * 4, f"opener's gids: {status['Gid']}")
    for sets in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        check(int(status[sets], 16) == 0, f"opener's {sets}: {status[sets]}")
    check(status["Seccomp"] == "2", f"opener's Seccomp: {status['Seccomp']}")
    check(status["NoNewPrivs"] == "1", "an opener may gain privileges")
    check(int(status["VmLck"].split()[0]) > 0, f"no locked memory: {status['VmLck']}")
    check(os.listdir(f"/proc/{pid}/root") == [], "an opener sees files")
    kinds = sorted(os.readlink(f"/proc/{pid}/fd/{fd}").split(":")[0]
                   for fd in os.listdir(f"/proc/{pid}/fd") if int(fd) > 2)
    # Sockets to supervisor and agent; the rest is the event loop's own.
    check(kinds.count("socket") == 2 and set(kinds) <= {"socket", "anon_inode", "pipe"},
          f"an opener holds {kinds}")
    return status["VmRSS"].split()[0]


def openers_of(lab, without=(), timeout=5.0):
    deadline = time.monotonic() + timeout
    while True:
        pids = [pid for pid in lab.midcomd.roles().get("opener", ()) if pid not in without]
        if len(pids) == OPENERS - (1 if without else 0) or time.monotonic() > deadline:
            return sorted(pids)
        time.sleep(0.02)


@scenario("openers-run", openers=OPENERS)
def openers_run(lab):
    lab.start_midcomd()
    lab.midcomd.wait("opener.up", count=OPENERS)
    pids = openers_of(lab)
    check(len(pids) == OPENERS, f"{len(pids)} openers: {lab.midcomd.tail()}")
    sizes = [check_confined(pid) for pid in pids]
    for name in ("agent", "middlebox"):
        check(status_of(lab.midcomd.role(name))["Uid"] != status_of(pids[0])["Uid"],
              f"{name} and openers share an account")
    mark, killed = lab.midcomd.mark(), time.monotonic()
    os.kill(pids[0], signal.SIGKILL)
    lab.midcomd.wait("opener.down", since=mark)
    lab.midcomd.wait("opener.up", since=mark)
    back = (time.monotonic() - killed) * 1000
    lab.midcomd.wait("process.exit", since=mark, role="opener", signal="KILL")
    left = openers_of(lab)
    check(pids[0] not in left and pids[1] in left and len(left) == OPENERS,
          f"openers {pids}, after one was killed {left}")
    for pid in left:
        check_confined(pid)
    # A new agent is joined to the openers that are there.
    mark, agent = lab.midcomd.mark(), lab.midcomd.kill_role("agent")
    lab.midcomd.role("agent", other_than=agent)
    lab.midcomd.wait("opener.up", since=mark, count=OPENERS)
    check(openers_of(lab) == left, "openers died with the agent")
    lab.figure(f"opener back after {back:.0f} ms; resident {', '.join(sizes)} kB")


@scenario("openers-bad-key", openers=OPENERS)
def openers_bad_key(lab):
    """A key of another certificate: the daemon says so and doesn't start."""
    _, wrong = lab.certificates.phone
    lab.midcomd.replace_in_configuration(lab.certificates.sealing[1], wrong)
    try:
        lab.midcomd.start()
    except LabError as problem:
        check("ended with 78" in str(problem), str(problem))
        check("[smime] key" in lab.midcomd.text(), f"no reason given: {lab.midcomd.tail()}")
        lab.figure("refused with 78")
        return
    check(False, "midcomd starts with a key that isn't its certificate's")
