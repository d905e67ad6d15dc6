# SPDX-License-Identifier: GPL-3.0-or-later
"""ICE as far as a firewall sees it: STUN checks (RFC 8445, RFC 8489), their answers, candidates."""

import hashlib
import hmac
import os
import socket
import struct
import time
import zlib

import packets
from media_ua import End

COOKIE = 0x2112a442
REQUEST, SUCCESS = 0x0001, 0x0101
USERNAME, INTEGRITY, PRIORITY, USE_CANDIDATE = 0x0006, 0x0008, 0x0024, 0x0025
XOR_MAPPED, FINGERPRINT, CONTROLLED, CONTROLLING = 0x0020, 0x8028, 0x8029, 0x802a


class Credentials:
    def __init__(self, ufrag=None, password=None):
        self.ufrag = ufrag or os.urandom(4).hex()
        self.password = password or os.urandom(12).hex()

    def attributes(self):
        return [f"ice-ufrag:{self.ufrag}", f"ice-pwd:{self.password}"]


def candidate(address, port, number=1, component=1, kind="host", related=None):
    priority = (126 << 24) + ((65536 - number) << 8) + 256 - component
    text = f"candidate:{number} {component} UDP {priority} {address} {port} typ {kind}"
    return text + (f" raddr {related[0]} rport {related[1]}" if related else "")


def _attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def _message(kind, transaction, attributes, password=None, fingerprint=True):
    def head(more):
        return struct.pack("!HHI", kind, len(attributes) + more, COOKIE) + transaction
    if password is not None:
        digest = hmac.new(password.encode(), head(24) + attributes, hashlib.sha1).digest()
        attributes += _attribute(INTEGRITY, digest)
    if fingerprint:
        check = zlib.crc32(head(8) + attributes) ^ 0x5354554e
        attributes += _attribute(FINGERPRINT, struct.pack("!I", check))
    return head(0) + attributes


def binding_request(username, password, transaction=None, *, nominates=False, fingerprint=True,
                    controlling=True):
    attributes = _attribute(USERNAME, username.encode())
    attributes += _attribute(PRIORITY, struct.pack("!I", 1845501695))
    attributes += _attribute(CONTROLLING if controlling else CONTROLLED, os.urandom(8))
    attributes += _attribute(USE_CANDIDATE, b"") if nominates else b""
    return _message(REQUEST, transaction or os.urandom(12), attributes, password, fingerprint)


def parse(data):
    """(type, transaction, {attribute: value}), or None of what is no STUN."""
    if len(data) < 20 or data[0] > 3 or struct.unpack("!I", data[4:8])[0] != COOKIE:
        return None
    found, at = {}, 20
    while at + 4 <= len(data):
        kind, size = struct.unpack("!HH", data[at:at + 4])
        found[kind] = data[at + 4:at + 4 + size]
        at += 4 + size + -size % 4
    return struct.unpack("!H", data[:2])[0], data[8:20], found


def _has_integrity(data, password):
    at = data.find(struct.pack("!HH", INTEGRITY, 20), 20)
    if at < 0:
        return False
    head = data[:2] + struct.pack("!H", at + 4) + data[4:20]
    digest = hmac.new(password.encode(), head + data[20:at], hashlib.sha1).digest()
    return hmac.compare_digest(digest, data[at + 4:at + 24])


def success(data, source, password):
    family = packets.family_of(source[0])
    plain = struct.pack("!H", source[1]) + socket.inet_pton(family, source[0])
    mask = struct.pack("!H", COOKIE >> 16) + struct.pack("!I", COOKIE) + data[8:20]
    mapped = bytes(one ^ two for one, two in zip(plain, mask))
    kind = 1 if family == socket.AF_INET else 2
    return _message(SUCCESS, data[8:20], _attribute(XOR_MAPPED, struct.pack("!BB", 0, kind) + mapped),
                    password)


class IceEnd(End):
    """A port that answers the checks of whom it was told of, and makes its own."""

    def __init__(self, lab, namespace, address, port, own, controlling=True):
        self.own = own  # Credentials; a restart replaces them
        self.checked_by = []  # (nanoseconds, source): right checks that came
        self._answered = {}  # transaction: moment
        self._controlling = controlling
        super().__init__(lab, namespace, address, port)

    def got(self, entry):
        stamp, source, data = entry
        message = parse(data)
        if message is None:
            return
        kind, transaction, attributes = message
        if kind == SUCCESS:
            self._answered[transaction] = stamp
        elif kind == REQUEST and attributes.get(USERNAME, b"").split(b":")[0] == \
                self.own.ufrag.encode() and _has_integrity(data, self.own.password):
            self.checked_by.append((stamp, source))
            self.send(success(data, source, self.own.password), source)

    def ask(self, to, other, username=None, password=None, **options):
        """One check of the other side's candidate; its transaction."""
        transaction = os.urandom(12)
        self.send(binding_request(username or f"{other.ufrag}:{self.own.ufrag}",
                                  other.password if password is None else password, transaction,
                                  controlling=self._controlling, **options), to)
        return transaction

    def is_answered(self, transaction, timeout=0.2):
        deadline = time.monotonic() + timeout
        while transaction not in self._answered:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def connects(self, to, other, timeout=2.0, pace=0.05):
        """Milliseconds until a check is answered, sent anew every so often; None: never."""
        started = time.monotonic()
        while time.monotonic() - started < timeout:
            if self.is_answered(self.ask(to, other, nominates=True), pace):
                return (time.monotonic() - started) * 1000
        return None
