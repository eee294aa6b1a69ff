"""A device that speaks in touch tones: random digits, and the WAV file that a microphone would make of them."""

from __future__ import annotations

import math
import random
import struct
import sys
from array import array

LOW = (697, 770, 852, 941)
HIGH = (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"


def draw(rng: random.Random, shortest: int = 2, longest: int = 6) -> str:
    """Some digits, from ``shortest`` to ``longest`` of them."""
    return "".join(rng.choice("0123456789") for _ in range(rng.randint(shortest, longest)))


def wav(
    digits: str,
    rate: int = 8000,
    tone: float = 0.08,
    pause: float = 0.06,
    loudness: float = 0.25,
    noise: float = 0.01,
    rng: random.Random | None = None,
) -> bytes:
    """A WAV file (16-bit mono PCM, ``rate`` Hz) in which ``digits`` are dialled.

    ``tone`` and ``pause`` are seconds for each key, ``loudness`` is the amplitude of each of the two tones and
    ``noise`` the standard deviation of white noise, both as a share of full scale. Raises KeyError for what no
    telephone has a key for.
    """
    rng = rng or random.Random(digits)
    level: list[float] = [0.0] * round(pause * rate)
    for key in digits:
        level += _key(key, rate, tone, loudness, rng)
        level += [0.0] * round(pause * rate)
    return _riff(rate, array("h", (_sample(each + rng.gauss(0.0, noise)) for each in level)))


def _key(key: str, rate: int, seconds: float, loudness: float, rng: random.Random) -> list[float]:
    """The two tones of a key, each beginning anywhere in its period."""
    if key not in KEYS:
        raise KeyError(f"no telephone has a key {key!r}; keys are {KEYS}")
    row, column = divmod(KEYS.index(key), 4)
    low, high = (2 * math.pi * frequency / rate for frequency in (LOW[row], HIGH[column]))
    start_low, start_high = rng.random() * 2 * math.pi, rng.random() * 2 * math.pi
    times = range(round(seconds * rate))
    return [loudness * (math.sin(low * time + start_low) + math.sin(high * time + start_high)) for time in times]


def _sample(level: float) -> int:
    return max(-32768, min(32767, round(level * 32767)))


def _riff(rate: int, samples: array[int]) -> bytes:
    if sys.byteorder == "big":
        samples.byteswap()
    data = samples.tobytes()
    fmt = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    chunks = b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python3 tones.py DIGITS > recording.wav")
    sys.stdout.buffer.write(wav(sys.argv[1]))
