"""Sizes and times mean what they say."""

from __future__ import annotations

import pytest

from hanse.model.descriptor.tosca import scalars


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("512 MiB", "B", 536870912),
        ("512 MiB", "MB", 536.870912),
        ("1.5 GB", "MB", 1500),
        ("200MB", "B", 200_000_000),
        ("5 gb", "GB", 5),
        ("0 B", "B", 0),
    ],
)
def test_sizes_are_converted(text: str, unit: str, value: float) -> None:
    assert scalars.size(text, unit) == value


@pytest.mark.parametrize(("text", "value"), [("60 s", 60), ("2 m", 120), ("500 ms", 0.5), ("1 d", 86400)])
def test_times_are_in_seconds(text: str, value: float) -> None:
    assert scalars.time(text) == value


@pytest.mark.parametrize("text", ["", "5", "GB", "-1 GB", "5 XB", "1e9 B", "9" * 40 + " B"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unit"):
        scalars.size(text)


@pytest.mark.parametrize("text", ["5 M", "5 GB", "s"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unit"):
        scalars.time(text)
