# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario: what midcomctl says of a live call, and whom the control socket lets ask."""

import json
import os
import pwd
import socket
import stat
import subprocess

from lab import PHONES_A, TRUNK, check, scenario
from midcomd import binary

PROGRAM = os.path.join(os.path.dirname(binary()), "midcomctl")


def run(lab, *words, user=None):
    """midcomctl from outside every network namespace; `user`: as that account, in its groups."""
    options = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return subprocess.run([PROGRAM, "--socket", lab.midcomd.control, *words], capture_output=True,
                          text=True, timeout=10, check=False, **options)


def ask(lab, *words):
    done = run(lab, "--json", *words)
    check(done.returncode == 0, f"midcomctl {' '.join(words)}: {done.returncode} {done.stderr}")
    return json.loads(done.stdout)


def check_access(lab):
    status = os.stat(lab.midcomd.control)
    agent, stranger = pwd.getpwnam("midcomd"), pwd.getpwnam("nobody")
    check(stat.S_IMODE(status.st_mode) == 0o660, f"the socket's mode is {status.st_mode:o}")
    check((status.st_uid, status.st_gid) == (0, agent.pw_gid), "the socket's owner is another")
    check(run(lab, "status", user=agent).returncode == 0, "the agent's group may not ask")
    refused = run(lab, "status", user=stranger)
    check(refused.returncode == 4 and "Permission denied" in refused.stderr,
          f"a stranger got {refused.returncode}: {refused.stderr}{refused.stdout}")


def check_bounds(lab):
    """Clients that say nothing, and a line without an end, keep nobody out for long."""
    silent = []
    for _ in range(8):
        one = socket.socket(socket.AF_UNIX)
        one.connect(lab.midcomd.control)
        silent.append(one)
    silent[0].sendall(b"x" * 4096)
    silent[0].settimeout(2)
    check(b"bad-request" in silent[0].recv(100), "an endless line was not refused")
    check(run(lab, "status").returncode == 0, "silent clients keep others out")
    for one in silent:
        one.close()


@scenario("control-socket")
def control_socket(lab):
    check(run(lab, "status").returncode == 4, "midcomctl without midcomd")
    lab.start_midcomd()
    check(ask(lab, "pinholes") == {"total": 0, "pinholes": []}, "pinholes before the call")
    call = lab.call_to_trunk()
    holes = ask(lab, "pinholes")["pinholes"]
    flows = {(*end.rsplit(":", 1),) for hole in holes for end in (hole["a"], hole["b"])}
    kernel = {tuple(map(str, pair)) for key in lab.midcomd.pinholes() for pair in (key[:2], key[2:])}
    check(flows == kernel, f"midcomctl has {sorted(flows)}, the kernel {sorted(kernel)}")
    check((TRUNK, str(call.t_port)) in flows and (PHONES_A.host4, str(call.a_port)) in flows,
          f"not the call's own: {holes}")
    shown = run(lab, "pinholes").stdout
    check(f"{PHONES_A.host4}:{call.a_port}" in shown and call.call_id in shown, f"table: {shown}")
    found = ask(lab, "call", call.call_id)["calls"]
    check(len(found) == 1 and found[0]["state"] == "answered", f"the call: {found}")
    check(found[0]["from_peer"] == "phones-a" and found[0]["legs"][0]["peer"] == "trunk",
          f"its peers: {found}")
    check(run(lab, "call", "none@such").returncode == 3, "a call that isn't there")
    check(run(lab, "stop").returncode == 2, "a word that isn't there")
    status = ask(lab, "status")
    check(status["middlebox"]["up"] and status["counts"]["calls"] == 1, f"status: {status}")
    check(status["counts"]["rules"] == len(holes), f"status: {status}")
    states = {peer["name"]: peer["state"] for peer in ask(lab, "peers")["peers"]}
    check(states["trunk"] == "up" and states["phones-a"] == "none", f"peers: {states}")
    check(any(flow["peer"] == "phones-a" for flow in ask(lab, "flows")["flows"]), "no flow")
    check_access(lab)
    check_bounds(lab)
    lab.midcomd.kill_role("agent")
    lab.midcomd.wait("process.up", count=2, role="agent")
    check(ask(lab, "status")["uptime_s"] < 10, "the new agent doesn't answer")
    lab.midcomd.stop()
    check(not os.path.exists(lab.midcomd.control), "the socket is still there after the stop")
    lab.figure(f"{len(holes)} rules as the kernel has them, a stranger is refused")
