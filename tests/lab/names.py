# SPDX-License-Identifier: GPL-3.0-or-later
"""A name server on a namespace's loopback: each side resolves the gateway to its own address."""

import socket
import struct
import threading

A, AAAA = 1, 28


def _question(packet):
    """(name, type, end) of the first question."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii", "replace").lower())
        at += 1 + packet[at]
    kind = struct.unpack("!H", packet[at + 1:at + 3])[0]
    return ".".join(labels), kind, at + 5


class NameServer:
    """Answers A and AAAA from `records` {name: (IPv4, IPv6 or None)}; other types: no data.

    It says nothing about the names in `silent`; `asked` counts what it was asked.
    """

    def __init__(self, namespace, records):
        self.records = records
        self.silent = set()
        self.asked = 0
        self._socket = namespace.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _answer(self, packet):
        name, kind, end = _question(packet)
        self.asked += 1
        if name in self.silent:
            return None
        addresses = self.records.get(name)
        data = b""
        if addresses and kind == A and addresses[0]:
            data = socket.inet_aton(addresses[0])
        elif addresses and kind == AAAA and addresses[1]:
            data = socket.inet_pton(socket.AF_INET6, addresses[1])
        flags = 0x8580 | (0 if addresses else 3)  # authoritative; no such name
        head = packet[:2] + struct.pack("!HHHHH", flags, 1, 1 if data else 0, 0, 0)
        record = struct.pack("!HHHIH", 0xc00c, kind, 1, 60, len(data)) + data if data else b""
        return head + packet[12:end] + record

    def _serve(self):
        while True:
            try:
                packet, asker = self._socket.recvfrom(2048)
                answer = self._answer(packet)
                if answer is not None:
                    self._socket.sendto(answer, asker)
            except (IndexError, struct.error):
                continue
            except OSError:
                return

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
