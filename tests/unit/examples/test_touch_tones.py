"""What the speech application hears: every key, in noise, at every rate, and nothing where nothing was dialled."""

from __future__ import annotations

import math
import random
from array import array

import pytest
import recording
import touch_tones

from examples.device import tones


def hear(wav: bytes) -> touch_tones.Heard:
    """Decode a WAV file as the application does."""
    sound = recording.read(wav)
    return touch_tones.decode(sound.samples, sound.rate)


@pytest.mark.parametrize("seed", range(200))
def test_random_digits_are_heard_in_noise_at_any_rate(seed: int) -> None:
    rng = random.Random(seed)
    digits = tones.draw(rng, 1, 8)
    wav = tones.wav(
        digits,
        rate=rng.choice((8000, 8000, 8000, 11025, 16000, 22050)),
        tone=rng.uniform(0.045, 0.12),
        pause=rng.uniform(0.045, 0.1),
        loudness=rng.uniform(0.1, 0.45),
        noise=rng.uniform(0.0, 0.03),
        rng=rng,
    )
    assert hear(wav).text == digits


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_studio_rates_are_heard_too(rate: int) -> None:
    assert hear(tones.wav("9270", rate=rate)).text == "9270"


def test_every_key_of_the_telephone_is_told_apart() -> None:
    assert hear(tones.wav("123A456B789C*0#D")).text == "123A456B789C*0#D"


def test_the_same_key_again_counts_only_after_a_pause() -> None:
    assert hear(tones.wav("7", tone=1.0)).text == "7"
    assert hear(tones.wav("777")).text == "777"


def test_the_shortest_legal_tones_and_pauses_are_enough() -> None:
    assert hear(tones.wav("1122005", tone=0.04, pause=0.04)).text == "1122005"


def test_a_click_is_no_key() -> None:
    assert hear(tones.wav("5", tone=0.015, pause=0.1)) == touch_tones.Heard("", 0.0)


def test_noise_lowers_the_confidence() -> None:
    clear, noisy = hear(tones.wav("2468", noise=0.0)), hear(tones.wav("2468", noise=0.08))
    assert clear.text == noisy.text == "2468"
    assert noisy.confidence < 0.95 < clear.confidence <= 1.0


def sound(*parts: tuple[float, float], seconds: float = 0.3) -> array[int]:
    """Tones (frequency, amplitude of full scale) that sound together at 8 kHz."""
    times = range(round(seconds * 8000))
    return array("h", (round(sum(32767 * a * math.sin(2 * math.pi * f * t / 8000) for f, a in parts)) for t in times))


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([], id="silence"),
        pytest.param([(770, 0.3)], id="one tone alone"),
        pytest.param([(770, 0.3), (852, 0.3)], id="two tones of one group"),
        pytest.param([(770, 0.5), (1336, 0.1)], id="the low tone 14 dB above the other"),
        pytest.param([(770, 0.1), (1336, 0.5)], id="the high tone 14 dB above the other"),
        pytest.param([(770, 0.2), (1336, 0.2), (1477, 0.2)], id="two keys at once"),
        pytest.param([(730, 0.3), (1400, 0.3)], id="between the keys"),
        pytest.param([(770, 0.15), (1336, 0.15), (440, 0.3), (2600, 0.3)], id="under music"),
        pytest.param([(770, 0.0004), (1336, 0.0004)], id="too quiet"),
    ],
)
def test_what_is_no_key_is_not_heard(parts: list[tuple[float, float]]) -> None:
    assert touch_tones.decode(sound(*parts), 8000) == touch_tones.Heard("", 0.0)


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.17), (0.17, 0.3)])
def test_a_telephone_s_twist_is_accepted(low: float, high: float) -> None:
    assert touch_tones.decode(sound((770, low), (1336, high)), 8000).text == "5"


@pytest.mark.parametrize("off", [0.985, 1.015])
def test_a_telephone_s_detuning_is_accepted(off: float) -> None:
    assert touch_tones.decode(sound((852 * off, 0.2), (1209 * off, 0.2)), 8000).text == "7"


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_says_nothing(seed: int) -> None:
    rng = random.Random(seed)
    noise = array("h", (round(rng.gauss(0, 4000)) for _ in range(8000)))
    assert touch_tones.decode(noise, 8000) == touch_tones.Heard("", 0.0)


@pytest.mark.parametrize("length", [0, 1, 204, 205])
def test_a_recording_shorter_than_a_key_says_nothing(length: int) -> None:
    assert touch_tones.decode(array("h", [1000] * length), 8000).text == ""
