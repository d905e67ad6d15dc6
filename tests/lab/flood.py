# SPDX-License-Identifier: GPL-3.0-or-later
"""Datagrams of junk at a steady rate: flood.py SOURCE SPORT DESTINATION DPORT RATE SECONDS.

A program of its own, so that it doesn't share an interpreter with what is measured meanwhile.
Prints how many it has sent.
"""

import ctypes
import os
import socket
import sys
import time

BATCH = 50


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Header(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32),
                ("vectors", ctypes.POINTER(Vector)), ("count", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_int), ("sent", ctypes.c_uint)]  # struct mmsghdr


def junk(number):
    """Noise, and what begins like STUN, DTLS and RTP."""
    head = (b"", b"\0\1\0\x54\x21\x12\xa4\x42", b"\x16\xfe\xff\0\0", b"\x80\0", b"\x80\xc8\0\6")
    return head[number % len(head)] + os.urandom(100)


def main():
    source, sport, destination, dport, rate, seconds = sys.argv[1:]
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind((source, int(sport)))
    sender.connect((destination, int(dport)))
    buffers = [ctypes.create_string_buffer(junk(number)) for number in range(BATCH)]
    headers = (Header * BATCH)()
    for header, buffer in zip(headers, buffers):
        header.vectors = ctypes.pointer(Vector(ctypes.addressof(buffer), len(buffer) - 1))
        header.count = 1
    sendmmsg = ctypes.CDLL(None, use_errno=True).sendmmsg
    sent, started = 0, time.monotonic()
    ends = started + float(seconds)
    while (now := time.monotonic()) < ends:
        if sent > (now - started) * float(rate):
            time.sleep(0.0001)
            continue
        sent += max(0, sendmmsg(sender.fileno(), headers, BATCH, 0))
    print(f"{sent} {time.monotonic() - started:.2f}", flush=True)


if __name__ == "__main__":
    main()
