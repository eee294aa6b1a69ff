"""Touch tones (DTMF) heard in a recording: Goertzel filters for the eight tones, and rules for what counts as a key.

A key sounds two tones at once, one of the low and one of the high group (ITU-T Q.23). The recording is cut into short
overlapping frames; in each we measure the energy at the eight frequencies. A frame holds a key if one tone of each
group stands out, both are about equally loud, and together they are most of what is heard. A key is pressed when
two frames in a row agree; the same key counts again only after a pause (ITU-T Q.24: tones and pauses of 40 ms).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

LOW = (697, 770, 852, 941)
HIGH = (1209, 1336, 1477, 1633)
KEYS = ("123A", "456B", "789C", "*0#D")

ENOUGH_RATE = 8000
FRAME_SECONDS = 0.0256
"""Long enough to tell 697 from 770 Hz, short enough for two frames in the shortest tone."""

QUIETEST = 30.0
"""Root mean square (of 32768) below which a frame is silence ..."""
QUIETEST_SHARE = 0.01
"""... and so is one with less than this share of the energy of the loudest frame (-20 dB)."""

TWIST = 10 ** (8 / 10)
"""How much stronger one group may be than the other, as a ratio of energies (8 dB)."""
MARGIN = 10 ** (6 / 10)
"""How far a tone stands above the others of its group (6 dB)."""
SHARE = 0.55
"""The part of a frame's energy that the two tones have at least: speech, music and noise have less."""

FRAMES_OF_A_KEY = 2
FRAMES_OF_A_PAUSE = 2


class Heard(NamedTuple):
    """The keys in order, and how sure we are: the mean share of the two tones in the sound, 0 to 1 (0: no keys)."""

    text: str
    confidence: float


class _Frame(NamedTuple):
    """The key of a frame, "" if there is none, and the share of its two tones."""

    key: str
    share: float


def decode(samples: Sequence[int], rate: int) -> Heard:
    """The keys pressed in a recording of ``rate`` Hz (8000 or more)."""
    factor = rate // ENOUGH_RATE
    keys = list(_keys(_frames(_thin_out(samples, factor), rate / factor)))
    if not keys:
        return Heard("", 0.0)
    confidence = sum(frame.share for frame in keys) / len(keys)
    return Heard("".join(frame.key for frame in keys), round(min(confidence, 1.0), 3))


def _thin_out(samples: Sequence[int], factor: int) -> Sequence[float]:
    """Every ``factor`` samples become their mean: higher rates tell nothing more about tones below 1700 Hz."""
    if factor == 1:
        return samples
    return [sum(group) / factor for group in zip(*(samples[start::factor] for start in range(factor)), strict=False)]


def _frames(samples: Sequence[float], rate: float) -> list[_Frame]:
    """The frames of the recording, each overlapping half of the one before."""
    size = round(rate * FRAME_SECONDS)
    frames = [samples[start : start + size] for start in range(0, len(samples) - size + 1, size // 2)]
    energies = [sum(sample * sample for sample in frame) for frame in frames]
    silence = max(QUIETEST * QUIETEST * size, QUIETEST_SHARE * max(energies, default=0.0))
    coefficients = [2 * math.cos(2 * math.pi * frequency / rate) for frequency in LOW + HIGH]
    return [
        _frame(frame, energy, coefficients) if energy > silence else _Frame("", 0.0)
        for frame, energy in zip(frames, energies, strict=True)
    ]


def _frame(samples: Sequence[float], energy: float, coefficients: Sequence[float]) -> _Frame:
    """The key that sounds in a frame, if its tones pass the tests for clearness, twist and share."""
    shares = [2 * _power(samples, each) / (len(samples) * energy) for each in coefficients]
    low, high = shares[:4], shares[4:]
    row, column = _clearest(low), _clearest(high)
    if row is None or column is None:
        return _Frame("", 0.0)
    share = low[row] + high[column]
    twisted = low[row] > TWIST * high[column] or high[column] > TWIST * low[row]
    return _Frame("", 0.0) if twisted or share < SHARE else _Frame(KEYS[row][column], share)


def _power(samples: Sequence[float], coefficient: float) -> float:
    """The squared magnitude at one frequency (Goertzel's recurrence); a tone of amplitude a gives (a * n / 2)²."""
    last = before = 0.0
    for sample in samples:
        last, before = sample + coefficient * last - before, last
    return last * last + before * before - coefficient * last * before


def _clearest(group: Sequence[float]) -> int | None:
    """Which tone of a group stands out from the others, if one does."""
    best = max(range(len(group)), key=group.__getitem__)
    others = max(share for index, share in enumerate(group) if index != best)
    return best if group[best] > MARGIN * others else None


def _keys(frames: Sequence[_Frame]) -> Iterator[_Frame]:
    """One frame for each key that was pressed: long enough, and once for as long as it is held."""
    candidate, length, pause, held = "", 0, 0, ""
    for frame in frames:
        length = length + 1 if frame.key == candidate else 1
        candidate = frame.key
        pause = 0 if frame.key else pause + 1
        if pause >= FRAMES_OF_A_PAUSE:
            held = ""
        if candidate and candidate != held and length >= FRAMES_OF_A_KEY:
            held = candidate
            yield frame
