# SPDX-License-Identifier: GPL-3.0-or-later
"""Tones a phone plays, and whether another one heard them."""

import array
import math
import wave

RATE = 8000


def write(path, hertz, seconds):
    period = [int(12000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(RATE)]
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(array.array("h", period).tobytes() * seconds)


def _power(samples, hertz, rate):
    """Goertzel: the power of one frequency relative to all of the block's."""
    total = sum(sample * sample for sample in samples)
    if not total:
        return 0.0
    coefficient = 2 * math.cos(2 * math.pi * hertz / rate)
    one = two = 0.0
    for sample in samples:
        one, two = sample + coefficient * one - two, one
    energy = one * one + two * two - coefficient * one * two
    return 2 * energy / (len(samples) * total)


def heard_seconds(path, hertz):
    """How many seconds of the recording are this tone (in blocks of 100 ms)."""
    with wave.open(path, "rb") as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = array.array("h", file.readframes(file.getnframes()))[::channels]
    block = rate // 10
    blocks = (samples[start:start + block] for start in range(0, len(samples) - block + 1, block))
    return sum(0.1 for part in blocks if _power(part, hertz, rate) > 0.7)
