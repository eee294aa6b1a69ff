"""Recordings: what a WAV file of 16-bit mono PCM holds (RIFF/WAVE, "WAVE_FORMAT_PCM")."""

from __future__ import annotations

import struct
import sys
from array import array
from typing import NamedTuple

from mec_app import Problem

RATES = range(8000, 192_001)
LONGEST = 60
PCM, EXTENSIBLE = 1, 0xFFFE


class Recording(NamedTuple):
    """Samples from -32768 to 32767, ``rate`` of them a second."""

    rate: int
    samples: array[int]


def read(data: bytes) -> Recording:
    """The recording in a WAV file; 400 with what is wrong with it."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise _bad("no RIFF/WAVE header", "send a WAV file")
    chunks = _chunks(data)
    for name in (b"fmt ", b"data"):
        if name not in chunks:
            raise _bad(f"no {name.decode().strip()!r} chunk", "send a complete WAV file")
    rate = _rate(chunks[b"fmt "])
    return Recording(rate, _samples(chunks[b"data"], rate))


def _chunks(data: bytes) -> dict[bytes, bytes]:
    """The file's chunks by name (the first of each); they start at even offsets."""
    chunks: dict[bytes, bytes] = {}
    offset = 12
    while offset + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, offset)
        if offset + 8 + size > len(data):
            raise _bad(
                f"chunk {name.decode('latin-1').strip()!r} is cut short",
                f"it announces {size} bytes, {len(data) - offset - 8} follow",
            )
        chunks.setdefault(name, data[offset + 8 : offset + 8 + size])
        offset += 8 + size + size % 2
    return chunks


def _rate(fmt: bytes) -> int:
    """The sampling rate in Hz, once the format is found to be one we read."""
    if len(fmt) < 16:
        raise _bad("'fmt' chunk is too short", f"it has {len(fmt)} bytes, a format has at least 16")
    code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", fmt)
    if code == EXTENSIBLE and len(fmt) >= 26:
        (code,) = struct.unpack_from("<H", fmt, 24)  # the sub-format, an identifier that begins with the old code
    if code != PCM:
        raise _bad(f"format {code} is not PCM", "send uncompressed PCM (format 1)")
    if channels != 1:
        raise _bad(f"{channels} channels", "send one channel (mono)")
    if bits != 16:
        raise _bad(f"{bits} bits a sample", "send 16-bit samples")
    if rate not in RATES:
        raise _bad(f"sampling rate {rate} Hz", f"send {RATES.start} to {RATES.stop - 1} Hz")
    return int(rate)


def _samples(data: bytes, rate: int) -> array[int]:
    if not data or len(data) % 2:
        raise _bad(f"{len(data)} bytes of sound", "send whole 16-bit samples, at least one")
    if len(data) // 2 > LONGEST * rate:
        raise _bad(f"longer than {LONGEST} s", f"send at most {LONGEST} seconds of sound")
    samples = array("h", data)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _bad(title: str, detail: str) -> Problem:
    return Problem(400, f"WAV: {title}", detail)
