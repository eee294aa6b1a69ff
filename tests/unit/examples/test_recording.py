"""Reading WAV files: what is read, and what a sender of a bad one is told."""

from __future__ import annotations

import contextlib
import random
import struct

import pytest
import recording
from mec_app import Problem

from examples.device import tones

PCM = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WAV file of these chunks."""
    body = b"".join(name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for name, data in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def fmt(code: int = 1, channels: int = 1, rate: int = 8000, bits: int = 16) -> bytes:
    """A format chunk's data."""
    return struct.pack("<HHIIHH", code, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)


def test_samples_and_rate_are_read() -> None:
    sound = recording.read(riff((b"fmt ", PCM), (b"data", struct.pack("<3h", 1, -2, 32767))))
    assert (sound.rate, list(sound.samples)) == (8000, [1, -2, 32767])


def test_chunks_that_editors_add_are_skipped() -> None:
    data = riff((b"LIST", b"odd"), (b"fmt ", PCM), (b"fact", bytes(4)), (b"data", bytes(2)), (b"id3 ", b"x"))
    assert list(recording.read(data).samples) == [0]


def test_the_extensible_form_of_pcm_is_read() -> None:
    extensible = fmt(code=0xFFFE) + struct.pack("<HHIH", 22, 16, 4, 1) + bytes(14)
    assert recording.read(riff((b"fmt ", extensible), (b"data", bytes(2)))).rate == 8000


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (b"", "no RIFF/WAVE header"),
        (b"RIFF\0\0\0\0AVI ", "no RIFF/WAVE header"),
        (riff(), "no 'fmt' chunk"),
        (riff((b"fmt ", PCM)), "no 'data' chunk"),
        (riff((b"fmt ", PCM[:15]), (b"data", bytes(2))), "'fmt' chunk is too short"),
        (riff((b"fmt ", PCM), (b"data", bytes(100)))[:-1], "chunk 'data' is cut short"),
        (riff((b"fmt ", fmt(code=7)), (b"data", bytes(2))), "format 7 is not PCM"),
        (riff((b"fmt ", fmt(code=0xFFFE)), (b"data", bytes(2))), "format 65534 is not PCM"),
        (riff((b"fmt ", fmt(channels=2)), (b"data", bytes(4))), "2 channels"),
        (riff((b"fmt ", fmt(bits=8)), (b"data", bytes(2))), "8 bits a sample"),
        (riff((b"fmt ", fmt(rate=4000)), (b"data", bytes(2))), "sampling rate 4000 Hz"),
        (riff((b"fmt ", fmt(rate=0)), (b"data", bytes(2))), "sampling rate 0 Hz"),
        (riff((b"fmt ", PCM), (b"data", b"")), "0 bytes of sound"),
        (riff((b"fmt ", PCM), (b"data", bytes(3))), "3 bytes of sound"),
        (riff((b"fmt ", PCM), (b"data", bytes(2 * (60 * 8000 + 1)))), "longer than 60 s"),
    ],
)
def test_a_bad_file_is_refused_by_what_is_wrong_with_it(data: bytes, title: str) -> None:
    with pytest.raises(Problem) as refusal:
        recording.read(data)
    assert (refusal.value.status, refusal.value.title) == (400, f"WAV: {title}")
    assert refusal.value.detail != refusal.value.title


@pytest.mark.parametrize("seed", range(100))
def test_a_damaged_file_never_ends_in_another_error(seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(tones.wav("1")[:400])
    for _ in range(4):
        data[rng.randrange(44)] = rng.randrange(256)
    with contextlib.suppress(Problem):
        recording.read(bytes(data[: rng.randrange(len(data))]))
