"""Directions: as short as any way can be, and told so that one can follow them."""

from __future__ import annotations

import math
from itertools import pairwise, permutations

import pytest
import routing
from routing import directions
from streets import PLACES, STREETS

METRES = {
    pair: street.metres for street in STREETS for pair in ((street.one, street.other), (street.other, street.one))
}


def brute_force(origin: str, destination: str) -> int:
    """The length of the shortest way among all ways that visit no place twice and at most five others."""
    between = [place for place in PLACES if place not in (origin, destination)]
    ways = ((origin, *others, destination) for count in range(6) for others in permutations(between, count))
    return min(length for way in ways if (length := walk(way)))


def walk(way: tuple[str, ...]) -> int:
    """The metres of a way from place to place; 0 if there is no such way."""
    pieces = [METRES.get(pair, 0) for pair in pairwise(way)]
    return sum(pieces) if all(pieces) else 0


@pytest.mark.parametrize("origin", PLACES)
def test_no_way_is_shorter(origin: str) -> None:
    for destination in PLACES:
        if destination > origin:
            assert sum(step.metres for step in directions([origin, destination])) == brute_force(origin, destination)


def test_the_way_back_is_as_long_as_the_way_there() -> None:
    for origin, destination in permutations(PLACES, 2):
        there, back = directions([origin, destination]), directions([destination, origin])
        assert sum(step.metres for step in there) == sum(step.metres for step in back)


def test_pieces_of_a_way_follow_each_other() -> None:
    for origin, destination in permutations(PLACES, 2):
        legs = routing.shortest(origin, destination)
        assert legs[0].start == PLACES[origin]
        assert legs[-1].end == PLACES[destination]
        assert all(before.end == after.start for before, after in pairwise(legs))


def test_a_way_to_where_one_is_has_no_steps() -> None:
    assert directions(["4", "4"]) == []
    assert directions(["4", "4", "1"]) == directions(["4", "1"])


def test_places_between_are_passed_in_their_order() -> None:
    by_pieces = directions(["0", "3"]) + directions(["3", "6"])
    assert sum(step.metres for step in directions(["0", "3", "6"])) == sum(step.metres for step in by_pieces)


def test_a_street_is_one_step_even_if_it_bends() -> None:
    assert directions(["2", "7"]) == [routing.Step("Quay Street", 575 + 940, "start")]
    assert directions(["0", "2"]) == [routing.Step("Merchants' Way", 530 + 660, "start")]


def test_turns_are_told_as_the_map_shows_them() -> None:
    assert [step.turn for step in directions(["4", "0", "1"])] == ["start", "right"]
    assert [step.turn for step in directions(["6", "4", "1"])] == ["start", "left"]
    assert [step.turn for step in directions(["6", "4", "7"])] == ["start", "right"]


def test_a_dead_end_is_left_by_turning_back() -> None:
    assert [step.turn for step in directions(["0", "5", "0"])] == ["start", "turn back"]


def test_the_map_is_sound() -> None:
    for street in STREETS:
        one, other = PLACES[street.one], PLACES[street.other]
        direct = math.dist((one.east, one.north), (other.east, other.north))
        assert direct <= street.metres <= 1.35 * direct, f"{street.name} is no street of {street.metres} m"
    assert len({frozenset((street.one, street.other)) for street in STREETS}) == len(STREETS)
    assert sorted(PLACES) == list("0123456789")
