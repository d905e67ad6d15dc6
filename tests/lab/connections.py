# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario: media over TCP (RFC 4145, 4975), whose connection is opened one way only."""

import select
import socket
import time

import packets
from lab import CORE, IN_CORE, PHONES_A, PHONES_B, TRUNK, check, scenario
from media_ua import Call, describe, msrp

PATIENCE = 0.3  # for a SYN that shall get nowhere; it is repeated after 1 s


def allow(lab, *peers):
    for peer in peers:
        lab.midcomd.replace_in_configuration(f"[peer {peer}]\n", f"[peer {peer}]\ntcp-media = yes\n")


class Listening:
    def __init__(self, lab, namespace, address, port):
        self.at = address, port
        self._socket = namespace.socket(packets.family_of(address), socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(self.at)
        self._socket.listen(4)
        lab.closing(self._socket.close)

    def accept(self, timeout=2.0):
        self._socket.settimeout(timeout)
        connection, _ = self._socket.accept()
        return connection


def connect(lab, namespace, source, to, timeout=PATIENCE):
    """A connection, or None when nothing answers the SYN."""
    one = namespace.socket(packets.family_of(source), socket.SOCK_STREAM)
    one.settimeout(timeout)
    one.bind((source, 0))
    try:
        one.connect(to)
    except OSError as problem:
        check(not isinstance(problem, ConnectionRefusedError), f"the SYN from {source} came to {to}")
        one.close()
        return None
    lab.closing(one.close)
    return one


class Connecting:
    """A connection whose SYN is on its way; it is repeated after 1 s."""

    def __init__(self, lab, namespace, source, to):
        self.socket = namespace.socket(packets.family_of(source), socket.SOCK_STREAM)
        lab.closing(self.socket.close)
        self.socket.bind((source, 0))
        self.socket.setblocking(False)
        self.socket.connect_ex(to)
        self._began = time.monotonic()

    def is_done(self, within):
        """Within so many seconds since the SYN."""
        left = max(0.0, self._began + within - time.monotonic())
        return (bool(select.select([], [self.socket], [], left)[1])
                and self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0)


def carries(sender, receiver, text, timeout=1.0):
    receiver.settimeout(timeout)
    try:
        sender.sendall(text)
        got = b""
        while len(got) < len(text):
            data = receiver.recv(4096)
            if not data:
                return False
            got += data
        return got == text
    except OSError:
        return False


def check_echo(one, other):
    text = b"MSRP d93kswow SEND\r\nByte-Range: 1-8/8\r\n\r\nHi there\r\n-------d93kswow$\r\n" * 50
    check(carries(one, other, text), "no data over the connection")
    check(carries(other, one, text[::-1]), "no data back over the connection")


def check_dead(one, other):
    check(not carries(one, other, b"after the BYE", PATIENCE), "the connection lives after the BYE")
    check(not carries(other, one, b"after the BYE", PATIENCE), "the connection lives after the BYE")


@scenario("msrp-tcp")
def msrp_tcp(lab):
    allow(lab, "phones-a")
    lab.start_midcomd()
    at_alice = Listening(lab, lab.a, PHONES_A.host4, 30000)
    at_trunk = Listening(lab, lab.core, TRUNK, 31000)
    check(connect(lab, lab.core, TRUNK, at_alice.at) is None, "open before the call")
    offer = describe(PHONES_A.host4, msrp(*at_alice.at, "actpass"))
    call = Call(lab, offer)
    check(connect(lab, lab.core, IN_CORE, at_alice.at) is None, "open to anybody on the offer")
    call.answer(describe(TRUNK, msrp(*at_trunk.at, "active")))
    started = time.monotonic()
    there = connect(lab, lab.core, TRUNK, at_alice.at, 2)
    check(there is not None, "the active end's SYN gets nowhere")
    took = (time.monotonic() - started) * 1000
    here = at_alice.accept()
    check_echo(there, here)
    check(connect(lab, lab.a, PHONES_A.host4, at_trunk.at) is None, "the passive end's SYN passes")
    check(connect(lab, lab.core, CORE.more4[1], at_alice.at) is None, "a third party's SYN passes")
    check(connect(lab, lab.b, PHONES_B.host4, at_alice.at) is None, "a third party's SYN passes")
    check_echo(there, here)
    call.hang_up()
    check_dead(there, here)
    check(connect(lab, lab.core, TRUNK, at_alice.at) is None, "a SYN passes after the BYE")

    turned = Call(lab, offer, call.parties)
    turned.answer(describe(TRUNK, msrp(*at_trunk.at, "passive")))
    check(connect(lab, lab.core, TRUNK, at_alice.at) is None, "the passive end's SYN passes")
    here = connect(lab, lab.a, PHONES_A.host4, at_trunk.at, 2)
    check(here is not None, "the control failed: the other direction's SYN gets nowhere")
    there = at_trunk.accept()
    check_echo(here, there)
    turned.hang_up()
    check_dead(here, there)

    early = Call(lab, offer, call.parties)
    outran = Connecting(lab, lab.core, TRUNK, at_alice.at)
    check(not outran.is_done(0.1), "open on the offer alone")
    early.answer(describe(TRUNK, msrp(*at_trunk.at, "active")))
    check(outran.is_done(0.9), "the SYN that outran the answer had to be repeated")
    check_echo(outran.socket, at_alice.accept())
    early.hang_up()
    lab.midcomd.wait_pinholes(0)
    lab.figure(f"ua=harness, connected in {took:.0f} ms, echo both ways; only the active end's SYN "
               "passes, in both roles; one that outran the answer waited; dead after the BYE")


@scenario("msrp-tcp-not-allowed")
def msrp_not_allowed(lab):
    lab.start_midcomd()  # phones: tcp-media = no
    at_alice = Listening(lab, lab.a, PHONES_A.host4, 30000)
    at_trunk = Listening(lab, lab.core, TRUNK, 31000)
    call = Call(lab, describe(PHONES_A.host4, msrp(*at_alice.at, "actpass")))
    check(connect(lab, lab.core, TRUNK, at_alice.at) is None, "open on the offer")
    call.answer(describe(TRUNK, msrp(*at_trunk.at, "active")))
    check(connect(lab, lab.core, TRUNK, at_alice.at) is None, "the phone may be connected to")
    call.change(describe(PHONES_A.host4, msrp(*at_alice.at, "active"), version=2),
                describe(TRUNK, msrp(*at_trunk.at, "passive"), version=2))
    here = connect(lab, lab.a, PHONES_A.host4, at_trunk.at, 2)
    check(here is not None, "the control failed: the trunk may not be connected to either")
    check_echo(here, at_trunk.accept())
    call.hang_up()
    lab.midcomd.wait_pinholes(0)
    lab.figure("ua=harness, tcp-media = no: no SYN to the phone passes, the phone's to the trunk does")
