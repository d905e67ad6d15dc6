# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab: the networks, the registrar, midcomd and phones of one scenario, and their clean-up."""

import os
import shutil
import tempfile
import time

import certificates
import midcomd as daemon
import packets
import phone
import ua
from kamailio import Kamailio
from namespaces import CORE, PHONES_A, PHONES_B, LabError, Topology

TRUNK, IN_CORE = CORE.more4
STRANGER = PHONES_A.more4[0]
SCENARIOS = {}


class Failure(Exception):
    """midcomd did not do what the scenario asks."""


class Skip(Exception):
    """Something this scenario alone needs isn't here."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def scenario(name, masked=False, **options):
    """Registers a scenario; `masked`: also runs with what Debian 12's kernel hasn't."""
    def register(function):
        SCENARIOS[name] = (function, dict(options))
        if masked:
            SCENARIOS[f"{name}-masked"] = (function, {**options, "mask": daemon.DEBIAN_12})
        return function
    return register


class Lab:
    def __init__(self, name, *, mask=0, keys="hidden", extra="", registrar=False, level="info",
                 openers=0, curious=False):
        self.directory = tempfile.mkdtemp(prefix=f"midlab-{os.getpid()}-{name}-")
        os.chmod(self.directory, 0o755)
        self._closing = []
        self.kamailio = self._topology = None
        self._curious = curious  # the registrar keeps all it sees
        self.figures = []
        self.mask = mask
        try:
            self._topology = Topology(self.directory)
            for side in ("gateway", "a", "b", "core"):
                setattr(self, side, getattr(self._topology, side))
            self.certificates = certificates.LabCertificates(os.path.join(self.directory, "tls"))
            self.midcomd = daemon.Midcomd(self.gateway, self.certificates,
                                          os.path.join(self.directory, "midcomd"), keys=keys,
                                          mask=mask, extra=extra, level=level, openers=openers)
            self._closing.append(self.midcomd.stop)
            if registrar:
                self.start_registrar()
            self.probe = {self.a: packets.Probe(self.a), self.b: packets.Probe(self.b),
                          self.core: packets.Probe(self.core)}
            self.tap = {self.a: packets.Tap(self.a, "eth0"), self.b: packets.Tap(self.b, "eth0"),
                        self.core: packets.Tap(self.core, "eth0")}
            for one in (*self.probe.values(), *self.tap.values()):
                self._closing.append(one.close)
        except BaseException:
            self.close()
            raise

    def closing(self, step):
        """Runs at the end, before what was set up earlier is taken down."""
        self._closing.append(step)

    def figure(self, text):
        self.figures.append(text)

    def start_registrar(self):
        self.kamailio = Kamailio(self.core, self.certificates,
                                 os.path.join(self.directory, "kamailio"), self._curious)
        self._closing.append(self.kamailio.stop)

    def start_midcomd(self):
        """First the control: without midcomd every road of the lab is open."""
        self.check_roads(is_open=True)
        self.midcomd.start()
        self.check_roads(is_open=False)

    def roads(self):
        """(from, source, to, destination) in both directions and families, between all sides."""
        ends = ((self.a, PHONES_A), (self.b, PHONES_B), (self.core, CORE))
        for near, source in ends:
            for far, destination in ends:
                if near is not far:
                    yield near, source.host4, far, destination.host4
                    yield near, source.host6, far, destination.host6

    def check_roads(self, is_open, ports=(40000, 40002)):
        for near, source, far, destination in self.roads():
            arrived = self.passes(near, source, ports[0], far, destination, ports[1],
                                  patience=1.0 if is_open else 0.02)
            check(arrived == is_open, f"{source} -> {destination} "
                  f"{'is blocked without' if is_open else 'is open with'} midcomd and no call")

    def passes(self, near, source, sport, far, destination, dport, patience=0.15, count=2):
        """Does a datagram of this 5-tuple get from one namespace to the other?"""
        numbers = [self.probe[near].send(source, sport, destination, dport) for _ in range(count)]
        return bool(self.tap[far].saw(numbers, patience))

    def media(self, namespace, address, port):
        end = packets.MediaEnd(namespace, address, port)
        self._closing.append(end.close)
        return end

    def phone(self, user, namespace, link, tone, *, six=False, **options):
        proxy = options.pop("proxy", link.gateway6 if six else link.gateway4)
        address = options.pop("address", link.host6 if six else link.host4)
        one = phone.Phone(namespace, self.directory, user, address, proxy, tone=tone,
                          certificate=self.certificates.phone, ca=self.certificates.ca, **options)
        self._closing.append(one.stop)
        return one

    def phones(self, six=False, encryption="dtls_srtp", **options):
        """alice in A (440 Hz) and bob in B (800 Hz), registered through midcomd."""
        alice = self.phone("alice", self.a, PHONES_A, 440, six=six, encryption=encryption,
                           **options)
        bob = self.phone("bob", self.b, PHONES_B, 800, six=six, encryption=encryption, **options)
        alice.registered()
        bob.registered()
        return alice, bob

    def agent(self, namespace, user, address, domain="example.org", pair=None):
        one = ua.UserAgent(namespace, user, domain, address, self.certificates, pair)
        self._closing.append(one.close)
        return one

    def alice(self):
        """A scripted phone in A, connected but not registered."""
        agent = self.agent(self.a, "alice", PHONES_A.host4)
        return agent, agent.connect(PHONES_A.gateway4)

    def trunk(self):
        """A scripted trunk in the core, listening."""
        agent = self.agent(self.core, "desk", TRUNK, "trunk.example", self.certificates.trunk)
        agent.listen()
        return agent

    def call_to_trunk(self, alice=None, line=None, trunk=None, ports=(30000, 31000), rate=50):
        """An answered call alice -> trunk with media both ways."""
        return TrunkCall(self, alice, line, trunk, ports, rate)

    def close(self):
        for step in reversed(self._closing):
            try:
                step()
            except Exception:  # pylint: disable=broad-except
                pass
        self._closing = []
        if self._topology is not None:
            self._topology.remove()

    def remove_files(self):
        shutil.rmtree(self.directory, ignore_errors=True)


class TrunkCall:
    """alice (phones-a) called the trunk; both send numbered media to each other."""

    def __init__(self, lab, alice, line, trunk, ports, rate):
        self.lab = lab
        if alice is None:
            alice, line = lab.alice()
        self.alice, self.line = alice, line
        self.trunk = trunk or lab.trunk()
        self.a_port, self.t_port = ports
        self.at_alice = lab.media(lab.a, PHONES_A.host4, self.a_port)
        self.at_trunk = lab.media(lab.core, TRUNK, self.t_port)
        check(not self.is_open(), "media passes before the call")
        self.sent = alice.invite(line, "sip:desk@trunk.example", ua.sdp(PHONES_A.host4, self.a_port))
        self.incoming = self.trunk.expect("INVITE")
        self.call_id = self.sent.call_id
        self.incoming.reply(180)
        self.sent.response(180)
        self.incoming.reply(200, "OK", ua.sdp(TRUNK, self.t_port))
        answer = self.sent.final()
        check(answer.status == 200, f"the call was answered with {answer.start}")
        self.dialog = self.sent.dialog(answer)
        self.dialog.ack()
        self.trunk.expect("ACK")
        self.trunk_dialog = self.incoming.dialog()
        self.at_alice.send_to(TRUNK, self.t_port, rate)
        self.at_trunk.send_to(PHONES_A.host4, self.a_port, rate)
        self.check_flows("after the answer")

    def is_open(self):
        """Probes on the call's own 5-tuples; both directions must agree."""
        lab = self.lab
        there = lab.passes(lab.a, PHONES_A.host4, self.a_port, lab.core, TRUNK, self.t_port)
        back = lab.passes(lab.core, TRUNK, self.t_port, lab.a, PHONES_A.host4, self.a_port)
        check(there == back, f"one way only: to the trunk {there}, back {back}")
        return there

    def check_flows(self, when, count=5, timeout=2.0):
        since = time.time_ns()
        check(self.at_trunk.wait(count, timeout, since), f"no media alice -> trunk {when}")
        check(self.at_alice.wait(count, timeout, since), f"no media trunk -> alice {when}")

    def check_closed(self, when, settle=0.3):
        since = time.time_ns()
        time.sleep(settle)
        there, back = self.at_trunk.count(since), self.at_alice.count(since)
        check(there == 0 and back == 0,
              f"{there} packets to the trunk and {back} back passed {when}")

    def hang_up(self, line=None):
        bye = self.dialog.bye(line=line)
        self.trunk.expect("BYE").reply(200, "OK")
        answer = bye.final()
        check(answer.status == 200, f"BYE was answered with {answer.start}")
        return answer


__all__ = ["CORE", "IN_CORE", "PHONES_A", "PHONES_B", "STRANGER", "TRUNK", "Failure", "Lab", "LabError",
           "SCENARIOS", "Skip", "check", "scenario", "ua", "packets", "daemon"]
