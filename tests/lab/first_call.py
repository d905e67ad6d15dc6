# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk of init/quickstart: one real call, told the way an operator would watch it."""

import signal
import sys
import time

from calls import passes_tuple, send_on
from lab import Failure, Lab, LabError, check
from midcomd import make_accounts
from namespaces import interrupt_once, no_more_interruptions, sweep

PICTURE = """
   phone A            gateway                phone B
   alice  ----------  midcomd  ------------  bob
   192.0.2.10         192.0.2.1              198.51.100.10
                      198.51.100.1
                      203.0.113.1
                         |
                      core: Kamailio, registrar of example.org
                      203.0.113.10
"""
SECONDS = 3.0


class Walk:
    def __init__(self, keep):
        self._keep = keep
        self._seen = 0
        self.lab = None

    def step(self, text):
        print(f"\n== {text}", flush=True)

    def show_log(self):
        """The daemon's own lines since the last time."""
        lines = self.lab.midcomd.text()[self._seen:].splitlines()
        self._seen = len(self.lab.midcomd.text())
        for line in lines:
            print(f"   midcomd| {line}")
        sys.stdout.flush()

    def show_pinholes(self):
        done = self.lab.gateway.run(["nft", "list", "table", "inet", "midcomd"])
        for line in done.stdout.splitlines():
            print(f"   nft| {line.rstrip()}")
        sys.stdout.flush()

    def call(self, alice, bob):
        started = time.monotonic()
        alice.dial(bob.uri)
        alice.wait("CALL_ESTABLISHED")
        setup = (time.monotonic() - started) * 1000
        alice.wait("CALL_RTPESTAB")
        bob.wait("CALL_RTPESTAB")
        return setup, (time.monotonic() - started) * 1000

    def run(self):
        self.step("Networks, certificates and a registrar, all in namespaces of their own")
        self.lab = lab = Lab("quickstart", registrar=True)
        print(PICTURE)
        lab.check_roads(is_open=True)
        print("   without midcomd: every road between the three networks is open")

        self.step("midcomd starts; from now on only what a call has agreed on passes")
        lab.midcomd.start()
        self.show_log()
        lab.check_roads(is_open=False)
        print("   unmarked packets between the networks: all dropped")

        self.step("Two phones (baresip) register over TLS, through midcomd")
        alice, bob = lab.phones(life=7200 if self._keep else 120)
        time.sleep(0.1)
        self.show_log()

        self.step("alice calls bob; their media is DTLS-SRTP, keyed end to end")
        setup, sound = self.call(alice, bob)
        time.sleep(SECONDS)
        self.show_log()

        self.step("The pinholes during the call, with their packet counters")
        self.show_pinholes()
        pinholes = lab.midcomd.pinholes()
        check(pinholes, "no pinholes")
        check(all(passes_tuple(lab, one) for one in pinholes),
              "a probe does not pass an open pinhole")
        print("   a probe on each of these 5-tuples passes")

        self.step("alice hangs up")
        alice.hang_up()
        bob.wait("CALL_CLOSED")
        lab.midcomd.wait("call.end")
        lab.midcomd.wait_pinholes(0)
        self.show_log()

        self.step("The firewall after the call, a sender still sending")
        sent, end = [], time.monotonic() + 1
        while time.monotonic() < end:
            sent += [send_on(lab, one) for one in pinholes]
            time.sleep(0.02)
        passed = sum(len(tap.saw(sent, 0.1)) for tap in (lab.tap[lab.a], lab.tap[lab.b]))
        self.show_pinholes()
        print(f"   {len(sent)} packets sent on the call's own 5-tuples, {passed} passed")
        check(passed == 0, "media passes after the call")

        heard = alice.heard(bob.tone), bob.heard(alice.tone)
        print(f"\n   alice heard bob's tone for {heard[0]:.1f} s, bob alice's for {heard[1]:.1f} s")
        check(min(heard) >= SECONDS / 2, "the recordings don't have the tones")
        check(all("DTLS-SRTP complete" in one.text() for one in (alice, bob)), "no DTLS-SRTP")
        print(f"\nPASS call set up in {setup:.0f} ms, sound after {sound:.0f} ms, heard "
              f"{heard[0]:.1f} s and {heard[1]:.1f} s of {SECONDS:.0f} s, {len(pinholes)} "
              f"pinholes, {sum(pinholes.values())} packets through them, 0 of {len(sent)} after "
              "hang-up", flush=True)
        if self._keep:
            self.keep(alice, bob)

    def keep(self, alice, bob):
        lab = self.lab
        self.call(alice, bob)
        gateway = lab.gateway.name
        print(f"""
== The lab stays up, with a call in progress, until Ctrl-C. From another terminal:
   pinholes    ip netns exec {gateway} watch -n 1 nft list table inet midcomd
   log         tail -f {lab.midcomd.log}
   phones      tail -f {alice.log} {bob.log}
   processes   pgrep -P {lab.midcomd.pid} -a
""", flush=True)
        while True:
            signal.pause()

    def close(self):
        if self.lab is not None:
            self.lab.close()
            self.lab.remove_files()
            self.lab = None


def main():
    sweep()
    made = make_accounts()
    if made:
        print(f"\nmade the system accounts {' and '.join(made)} (they stay)", flush=True)
    walk = Walk("--keep" in sys.argv[1:])
    interrupt_once()
    try:
        walk.run()
        return 0
    except (Failure, LabError) as problem:
        if walk.lab is not None:
            walk.show_log()
        print(f"\nFAIL {problem}", flush=True)
        return 1
    except KeyboardInterrupt:
        print("\ncleaning up", flush=True)
        return 0 if "--keep" in sys.argv[1:] else 130
    finally:
        no_more_interruptions()
        walk.close()


if __name__ == "__main__":
    sys.exit(main())
