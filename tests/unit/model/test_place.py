"""Distances on the earth decide which platform serves a device."""

from __future__ import annotations

import pytest

from hanse.model.place import EARTH_RADIUS, Position

KIEL = Position(latitude=54.32, longitude=10.14)


def at(latitude: float, longitude: float) -> Position:
    return Position(latitude=latitude, longitude=longitude)


def test_nothing_is_away_from_itself() -> None:
    assert KIEL.distance(KIEL) == 0


@pytest.mark.parametrize(
    ("one", "other", "kilometres"),
    [
        (KIEL, at(50.94, 6.96), 435),
        (at(0, 0), at(0, 90), EARTH_RADIUS * 3.14159265 / 2),
        (at(90, 0), at(-90, 0), EARTH_RADIUS * 3.14159265),
        (at(0, 179), at(0, -179), 222.4),
        (at(89, 0), at(89, 180), 222.4),
    ],
)
def test_a_distance_is_along_the_great_circle_and_the_same_both_ways(
    one: Position, other: Position, kilometres: float
) -> None:
    assert one.distance(other) == pytest.approx(kilometres, rel=0.01)
    assert one.distance(other) == pytest.approx(other.distance(one))


def test_a_degree_of_longitude_is_shorter_in_the_north() -> None:
    assert at(60, 0).distance(at(60, 1)) == pytest.approx(at(0, 0).distance(at(0, 1)) / 2, rel=0.01)
