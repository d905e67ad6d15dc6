# SPDX-License-Identifier: GPL-3.0-or-later
"""A search through the whole memory of running processes."""

import re

PIECE = 1 << 22


def _regions(pid):
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as file:
        for line in file:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if match and "[vvar" not in line and "[vsyscall" not in line:
                yield int(match.group(1), 16), int(match.group(2), 16)


def search(pid, patterns):
    """({pattern: how often}, octets read) over every readable page of a process."""
    found, octets = {pattern: 0 for pattern in patterns}, 0
    longest = max(map(len, patterns)) - 1
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end in _regions(pid):
            at, rest = begin, b""
            while at < end:
                try:
                    memory.seek(at)
                    data = memory.read(min(PIECE, end - at))
                except OSError:  # a page that can't be read, such as a guard's
                    data = b""
                if not data:
                    at, rest = at + 4096, b""
                    continue
                at, octets = at + len(data), octets + len(data)
                whole = rest + data
                for pattern in patterns:
                    found[pattern] += whole.count(pattern)
                rest = whole[-longest:]
                for pattern in patterns:  # what lies wholly in the rest would count twice
                    found[pattern] -= rest.count(pattern)
            for pattern in patterns:
                found[pattern] += rest.count(pattern)
    return found, octets
