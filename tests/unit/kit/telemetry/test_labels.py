"""Words on a diagram."""

from __future__ import annotations

import pytest

from hanse.kit.telemetry.labels import clean, duration, shorten, shorten_path


def test_a_name_cannot_steer_the_terminal() -> None:
    assert clean("a\x1b[2Jb\nc\u202ed\ud800") == "a�[2Jb�c�d�"


def test_long_identifiers_leave_room_for_what_is_said() -> None:
    assert clean("/apps/3f2a9c10-1111-4222-8333-123456789abc/start") == "/apps/3f2a9c10…/start"
    assert clean("app.0123456789abcdef0123456789abcdef") == "app.01234567…"
    assert clean("/zones/deadbeef") == "/zones/deadbeef"


@pytest.mark.parametrize(
    ("width", "text", "path"), [(9, "/apps/777", "/apps/777"), (5, "/app…", "…/777"), (1, "…", "…"), (0, "", "")]
)
def test_what_is_shortened_shows_it(width: int, text: str, path: str) -> None:
    assert shorten("/apps/777", width) == text
    assert shorten_path("/apps/777", width) == path


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 ms"),
        (-1, "0.00 ms"),
        (0.00031, "0.31 ms"),
        (0.009996, "10.0 ms"),
        (0.0121, "12.1 ms"),
        (0.48, "480 ms"),
        (0.9996, "1.00 s"),
        (61, "61.00 s"),
    ],
)
def test_times_have_the_digits_that_matter(seconds: float, text: str) -> None:
    assert duration(seconds) == text
