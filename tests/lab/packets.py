# SPDX-License-Identifier: GPL-3.0-or-later
"""Media as numbered datagrams, probes on any 5-tuple, and what arrives where by the kernel's clock."""

import ctypes
import ipaddress
import itertools
import os
import socket
import struct
import threading
import time

SO_ATTACH_FILTER = 26
SO_TIMESTAMPNS = 35
MAGIC = b"MDLB"
_CMSG = socket.CMSG_SPACE(16)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def stamp_of(ancillary):
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            return seconds * 1_000_000_000 + nanoseconds
    return time.time_ns()


def stamped_port(namespace, address, port, room):
    """A UDP socket that waits 0.2 s at a time; the kernel stamps what arrives."""
    port_socket = namespace.socket(family_of(address), socket.SOCK_DGRAM)
    port_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    port_socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    port_socket.bind((address, port))
    port_socket.settimeout(0.2)
    return port_socket


def arrivals(port_socket, is_on):
    """(nanoseconds, octets, where from) of each datagram, as long as is_on()."""
    while is_on():
        try:
            data, ancillary, _, source = port_socket.recvmsg(2048, _CMSG)
        except OSError:  # nothing came, an earlier ICMP error, or it was closed
            continue
        yield stamp_of(ancillary), data, source


class MediaEnd:
    """One RTP-like endpoint: sends numbered packets from its port and notes those it gets."""

    def __init__(self, namespace, address, port):
        self.address, self.port = address, port
        self.received = []  # (nanoseconds, number)
        self.sent = 0
        self._socket = stamped_port(namespace, address, port, 1 << 20)
        self._target, self._interval = None, 0.02
        self._on = True
        self._threads = [threading.Thread(target=self._receive, daemon=True),
                         threading.Thread(target=self._send, daemon=True)]
        for thread in self._threads:
            thread.start()

    def send_to(self, address, port, rate=50):
        self._interval = 1.0 / rate
        self._target = (address, port)

    def quiet(self):
        self._target = None

    def _packet(self):
        number = self.sent
        header = struct.pack("!BBHII", 0x80, 0, number & 0xffff, (160 * number) & 0xffffffff,
                             0x6d6c6162)
        return header + MAGIC + struct.pack("!I", number) + bytes(152)

    def _send(self):
        due = time.monotonic()
        while self._on:
            target = self._target
            if target is None:
                time.sleep(0.005)
                due = time.monotonic()
                continue
            try:
                self._socket.sendto(self._packet(), target)
            except OSError:  # an earlier ICMP error, or the buffer is full
                pass
            self.sent += 1
            due += self._interval
            pause = due - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            else:
                due = time.monotonic()

    def _receive(self):
        for stamp, data, _ in arrivals(self._socket, lambda: self._on):
            if data[12:16] == MAGIC:
                self.received.append((stamp, struct.unpack("!I", data[16:20])[0]))

    def numbers(self, since=0):
        return [number for stamp, number in list(self.received) if stamp >= since]

    def count(self, since=0):
        return len(self.numbers(since))

    def wait(self, count, timeout=3.0, since=0):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.count(since) >= count:
                return True
            time.sleep(0.01)
        return False

    def missing(self, since=0):
        """Numbers lost between the first and the last one that arrived."""
        numbers = self.numbers(since)
        return 0 if not numbers else max(numbers) - min(numbers) + 1 - len(set(numbers))

    def longest_gap(self, since=0):
        stamps = [stamp for stamp, _ in list(self.received) if stamp >= since]
        return max((later - earlier for earlier, later in zip(stamps, stamps[1:])),
                   default=0) / 1e6  # ms

    def close(self):
        self._on = False
        for thread in self._threads:
            thread.join(1)
        self._socket.close()


def _checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    total += total >> 16
    return ~total & 0xffff


class Probe:
    """Sends datagrams of any 5-tuple out of a namespace, its own addresses or not."""

    _numbers = itertools.count(int.from_bytes(os.urandom(2), "big") << 16)

    def __init__(self, namespace):
        self._sockets = {family: namespace.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
                         for family in (socket.AF_INET, socket.AF_INET6)}

    def send(self, source, sport, destination, dport):
        """Returns the probe's number."""
        number = next(self._numbers) & 0xffffffff
        self.send_payload(source, sport, destination, dport, MAGIC + struct.pack("!I", number))
        return number

    def send_payload(self, source, sport, destination, dport, payload):
        """Any datagram in anybody's name."""
        family = family_of(source)
        packed = [socket.inet_pton(family, address) for address in (source, destination)]
        udp = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
        pseudo = b"".join(packed) + struct.pack("!IBBH", 8 + len(payload), 0, 0, 17)
        checksum = _checksum(pseudo + udp + payload) or 0xffff
        udp = struct.pack("!HHHH", sport, dport, 8 + len(payload), checksum) + payload
        if family == socket.AF_INET:
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, *packed)
        else:
            head = struct.pack("!IHBB16s16s", 6 << 28, len(udp), 17, 64, *packed)
        try:
            self._sockets[family].sendto(head + udp, (destination, 0))
        except OSError:
            pass  # never out: counts as not arrived

    def close(self):
        for one in self._sockets.values():
            one.close()


class SockFilter(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8),
                ("k", ctypes.c_uint32)]


def _only_port(port):
    """Classic BPF: UDP over IPv4 from or to this port (bpf(4): ldh, ldb, jeq, ret)."""
    program = [(0x28, 0, 0, 12), (0x15, 0, 7, 0x0800), (0x30, 0, 0, 23), (0x15, 0, 5, 17),
               (0x28, 0, 0, 34), (0x15, 2, 0, port), (0x28, 0, 0, 36), (0x15, 0, 1, port),
               (0x06, 0, 0, 0xffff), (0x06, 0, 0, 0)]
    return (SockFilter * len(program))(*program)


class Tap:
    """Every packet at one interface, or those of one port, with the kernel's time stamp."""

    def __init__(self, namespace, interface, port=None):
        with namespace.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if port is not None:
            program = _only_port(port)
            self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack(
                "HP", len(program), ctypes.addressof(program)))
        self._bind(namespace, interface)
        self._socket.settimeout(0.2)
        self.marked = []   # (nanoseconds, outgoing, number, (source, sport, destination, dport))
        self.streams = []  # (nanoseconds, outgoing, (source, sport, destination, dport), octets)
        self._on = True
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _bind(self, namespace, interface):
        with namespace.entered():
            self._socket.bind((interface, 3))

    def _read(self):
        for stamp, frame, where in arrivals(self._socket, lambda: self._on):
            self._note(frame, stamp, where[2] == socket.PACKET_OUTGOING)

    def _note(self, frame, stamp, outgoing):
        kind = frame[12:14]
        if kind == b"\x08\x00":
            size = (frame[14] & 15) * 4
            protocol, addresses, rest = frame[23], (frame[26:30], frame[30:34]), frame[14 + size:]
        elif kind == b"\x86\xdd":
            protocol, addresses, rest = frame[20], (frame[22:38], frame[38:54]), frame[54:]
        else:
            return
        if protocol not in (6, 17) or len(rest) < 8:
            return
        source, destination = (str(ipaddress.ip_address(address)) for address in addresses)
        sport, dport = struct.unpack("!HH", rest[:4])
        tuple4 = (source, sport, destination, dport)
        if protocol == 6:
            size = len(rest) - (rest[12] >> 4) * 4 if len(rest) > 12 else 0
            if kind == b"\x08\x00":
                size = (struct.unpack("!H", frame[16:18])[0] - (frame[14] & 15) * 4
                        - (rest[12] >> 4) * 4)
            if size > 0:
                self.streams.append((stamp, outgoing, tuple4, size))
            return
        self.note_datagram(stamp, outgoing, tuple4, rest[8:])

    def note_datagram(self, stamp, outgoing, tuple4, payload):
        for at in (0, 12):
            if payload[at:at + 4] == MAGIC:
                number = struct.unpack("!I", payload[at + 4:at + 8])[0]
                self.marked.append((stamp, outgoing, number, tuple4))

    def saw(self, numbers, timeout=0.25):
        """Which of these probes arrived here, waiting a little for the last."""
        wanted = set(numbers)
        deadline = time.monotonic() + timeout
        while True:
            seen = wanted & {number for _, outgoing, number, _ in list(self.marked)
                             if not outgoing}
            if seen == wanted or time.monotonic() > deadline:
                return seen
            time.sleep(0.01)

    def close(self):
        self._on = False
        self._thread.join(1)
        self._socket.close()
