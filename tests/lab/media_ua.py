# SPDX-License-Identifier: GPL-3.0-or-later
"""What phones describe and send: session descriptions, RTP, RTCP, UDPTL, DTLS; and ends that send it.

Packets carry MAGIC and their number where a tap looks for them.
"""

import os
import socket
import struct
import threading

import packets
import ua
from lab import PHONES_A, TRUNK, check
from packets import MAGIC

FINGERPRINT = ("fingerprint:sha-256 6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:"
               "DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08")


def describe(address, *sections, version=1, session=()):
    """A session description at one address of these m= sections."""
    kind = "IP6" if ":" in address else "IP4"
    head = [f"v=0\r\no=- 4711 {version} IN {kind} {address}\r\ns=-\r\n",
            f"c=IN {kind} {address}\r\nt=0 0\r\n"]
    head += [f"a={attribute}\r\n" for attribute in session]
    return "".join([*head, *sections])


def _section(first, attributes):
    return "".join([f"m={first}\r\n", *(f"a={attribute}\r\n" for attribute in attributes)])


def audio(port, *attributes, types=(0,), profile="RTP/AVP"):
    maps = [f"rtpmap:{number} {name}" for number, name in ((0, "PCMU/8000"), (8, "PCMA/8000"))
            if number in types]
    return _section(f"audio {port} {profile} {' '.join(map(str, types))}", [*maps, *attributes])


def video(port, *attributes, profile="RTP/AVP"):
    return _section(f"video {port} {profile} 96", ["rtpmap:96 VP8/90000", *attributes])


def fax(port):
    return _section(f"image {port} udptl t38", ["T38FaxVersion:0", "T38MaxBitRate:14400",
                                                "T38FaxUdpEC:t38UDPRedundancy"])


def msrp(address, port, setup):
    return _section(f"message {port} TCP/MSRP *",
                    [f"setup:{setup}", "accept-types:text/plain",
                     f"path:msrp://{address}:{port}/{ua.token()};tcp"])


def rtp(number, payload_type=0, ssrc=0x6d6c6162, version=2):
    """A packet of 20 ms whose sequence number is the number's."""
    head = struct.pack("!BBHII", version << 6, payload_type, number & 0xffff,
                       160 * number & 0xffffffff, ssrc)
    return head + MAGIC + struct.pack("!I", number) + bytes(152)


def rtcp(number, ssrc=0x6d6c6162):
    """A sender report (RFC 3550 6.4.1)."""
    return (struct.pack("!BBHII", 0x80, 200, 6, ssrc, 0) + MAGIC
            + struct.pack("!III", number, number, 160 * number))


def udptl(number):
    """T.30 data of one field, without earlier packets (T.38 9.1, annex E)."""
    data = bytes(4) + MAGIC + struct.pack("!I", number)
    primary = struct.pack("!BBBH", 0xc0, 1, 0x80, len(data) - 1) + data
    return struct.pack("!HB", number & 0xffff, len(primary)) + primary + b"\0\0"


def client_hello(record_sequence=0):
    """DTLS 1.2 with use_srtp (RFC 6347 4.2.2, RFC 5764 4.1.1)."""
    extensions = (struct.pack("!HHHHB", 14, 5, 2, 1, 0) + struct.pack("!HHHH", 10, 4, 2, 23)
                  + struct.pack("!HHHHH", 13, 6, 4, 0x0403, 0x0401))
    body = (b"\xfe\xfd" + os.urandom(32) + b"\0\0" + struct.pack("!HHH", 4, 0xc02b, 0xc02f) + b"\1\0"
            + struct.pack("!H", len(extensions)) + extensions)
    size = struct.pack("!I", len(body))[1:]
    message = b"\1" + size + b"\0\0" + b"\0\0\0" + size + body
    return (b"\x16\xfe\xff\0\0" + record_sequence.to_bytes(6, "big")
            + struct.pack("!H", len(message)) + message)


def number_of(data):
    for at in (0, 12):
        if data[at:at + 4] == MAGIC:
            return struct.unpack("!I", data[at + 4:at + 8])[0]
    return None


class End:
    """A UDP port in a namespace: sends what it is told to, notes all it gets."""

    def __init__(self, lab, namespace, address, port):
        self.address, self.port = address, port
        self.received = []  # (nanoseconds, (address, port), octets)
        self._changed = threading.Condition()
        self._socket = packets.stamped_port(namespace, address, port, 4 << 20)
        self._on = True
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        lab.closing(self.close)

    @property
    def at(self):
        return self.address, self.port

    def send(self, data, to):
        try:
            self._socket.sendto(data, to)
        except OSError:  # an earlier ICMP error
            self._socket.sendto(data, to)

    def _read(self):
        for stamp, data, source in packets.arrivals(self._socket, lambda: self._on):
            entry = (stamp, source[:2], data)
            self.got(entry)
            with self._changed:
                self.received.append(entry)
                self._changed.notify_all()

    def got(self, entry):
        """For ends that answer."""

    def wait(self, matches, timeout=2.0):
        """The first entry whose octets match, or None."""
        def first():
            return next((entry for entry in self.received if matches(entry[2])), None)
        with self._changed:
            self._changed.wait_for(first, timeout)
            return first()

    def wait_from(self, source, timeout):
        """Did anything come from there?"""
        def is_there():
            return any(origin == source for _, origin, _ in self.received)
        with self._changed:
            return self._changed.wait_for(is_there, timeout)

    def gets(self, numbers, timeout=2.0):
        """Did all of these numbers arrive?"""
        wanted = set(numbers)
        with self._changed:
            return self._changed.wait_for(lambda: wanted <= set(self.numbers()), timeout)

    def numbers(self, source=None):
        return [number_of(data) for _, origin, data in list(self.received)
                if number_of(data) is not None and source in (None, origin)]

    def close(self):
        self._on = False
        self._thread.join(1)
        self._socket.close()


def both_ways(near, far, first, make=rtp, count=5, timeout=2.0):
    """Do packets numbered from `first` pass between two ends?"""
    numbers = range(first, first + count)
    for number in numbers:
        near.send(make(number), far.at)
        far.send(make(number), near.at)
    return near.gets(numbers, timeout), far.gets(numbers, timeout)


def none_pass(near, far, first, make=rtp, count=5, patience=0.15):
    """Packets numbered from `first` get nowhere between two ends."""
    return both_ways(near, far, first, make, count, patience) == (False, False) and not (
        set(range(first, first + count)) & (set(near.numbers()) | set(far.numbers())))


class Call:
    """alice (phones-a) and the trunk, who offer and answer what a scenario says."""

    def __init__(self, lab, offer, parties=None):
        self.lab = lab
        if parties is None:
            alice, line = lab.alice()
            parties = alice, line, lab.trunk()
        self.alice, self.line, self.trunk = self.parties = parties
        self.sent = self.alice.invite(self.line, "sip:desk@trunk.example", offer)
        self.incoming = self.trunk.expect("INVITE")
        check(self.incoming.message.body == offer, "the offer was changed on the way")
        self.call_id = self.sent.call_id
        self.dialog = self.trunk_dialog = None

    def progress(self, description):
        """The trunk's 183; returns when alice has it."""
        self.incoming.reply(183, "Session Progress", description)
        self.sent.response(183)

    def answer(self, description):
        self.say_answer(description)
        return self.confirm(description)

    def say_answer(self, description):
        self.incoming.reply(200, "OK", description)

    def confirm(self, description):
        final = self.sent.final()
        check(final.status == 200, f"the call was answered with {final.start}")
        check(final.body == description, "the answer was changed on the way")
        self.dialog = self.sent.dialog(final)
        self.dialog.ack()
        self.trunk.expect("ACK")
        self.trunk_dialog = self.incoming.dialog()
        return self

    def change(self, offer, answer, before_answer=lambda: None):
        """A re-INVITE of alice's."""
        sent = self.dialog.request("INVITE", offer)
        incoming = self.trunk.expect("INVITE")
        check(incoming.message.body == offer, "the new offer was changed on the way")
        before_answer()
        incoming.reply(200, "OK", answer)
        final = sent.final()
        check(final.status == 200, f"re-INVITE: {final.start}")
        self.dialog.ack()
        self.trunk.expect("ACK")

    def hang_up(self):
        bye = self.dialog.bye()
        self.trunk.expect("BYE").reply(200, "OK")
        answer = bye.final()
        check(answer.status == 200, f"BYE was answered with {answer.start}")
        self.lab.midcomd.wait("call.end", call=self.call_id)


def ends(lab, a_port=30000, t_port=31000):
    return End(lab, lab.a, PHONES_A.host4, a_port), End(lab, lab.core, TRUNK, t_port)
