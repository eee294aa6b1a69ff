"""The device of the demonstration: what it draws and the files that it makes."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import wave

import pytest

from examples.device import tones


def test_draws_are_within_bounds_and_repeatable() -> None:
    draws = [tones.draw(random.Random(seed)) for seed in range(100)]
    assert draws == [tones.draw(random.Random(seed)) for seed in range(100)]
    assert {len(digits) for digits in draws} == {2, 3, 4, 5, 6}
    assert set("".join(draws)) == set("0123456789")


def test_the_standard_library_reads_the_file() -> None:
    with wave.open(io.BytesIO(tones.wav("12", rate=16000, tone=0.1, pause=0.05))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16000)
        assert file.getnframes() == 16000 * (0.05 + 2 * 0.15)


def test_the_same_digits_make_the_same_file() -> None:
    assert tones.wav("27") == tones.wav("27")


def test_loud_tones_are_clipped_and_do_not_wrap() -> None:
    with wave.open(io.BytesIO(tones.wav("1", loudness=2.0))) as file:
        assert file.getnframes() > 0


def test_a_key_that_no_telephone_has_is_refused() -> None:
    with pytest.raises(KeyError, match="no telephone has a key 'x'"):
        tones.wav("1x")


def test_it_is_a_command_too() -> None:
    made = subprocess.run([sys.executable, tones.__file__, "27"], capture_output=True, check=True, timeout=100)
    assert made.stdout == tones.wav("27")
