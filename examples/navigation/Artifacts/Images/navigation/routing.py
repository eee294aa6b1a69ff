"""The way from place to place: Dijkstra's shortest path, told as streets, metres and turns."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from streets import PLACES, STREETS, Place, Street

STRAIGHT_ON = 30.0
TURN_BACK = 150.0


class Step(NamedTuple):
    """Follow ``street`` for ``metres`` after you turned as ``turn`` says."""

    street: str
    metres: int
    turn: str


class _Leg(NamedTuple):
    """A piece of street in the direction in which it is travelled."""

    street: Street
    start: Place
    end: Place


def directions(stops: Sequence[str]) -> list[Step]:
    """The steps of the shortest way through all ``stops`` (digits of places) in their order."""
    legs: list[_Leg] = []
    for origin, destination in pairwise(stops):
        legs += shortest(origin, destination)
    return list(_steps(legs))


def shortest(origin: str, destination: str) -> list[_Leg]:
    """The pieces of street of the shortest way (Dijkstra); none if one is there already."""
    arrived_by: dict[str, _Leg] = {}
    came_from: dict[str, str] = {}
    metres = {origin: 0}
    frontier = [(0, origin)]
    while frontier:
        so_far, here = heapq.heappop(frontier)
        if here == destination:
            break
        if so_far > metres[here]:
            continue  # an older, longer way to a place that was improved since
        for street, there in _leaving(here):
            length = so_far + street.metres
            if length < metres.get(there, math.inf):
                metres[there] = length
                came_from[there] = here
                arrived_by[there] = _Leg(street, PLACES[here], PLACES[there])
                heapq.heappush(frontier, (length, there))
    return _backwards(origin, destination, came_from, arrived_by)


def _leaving(here: str) -> Iterator[tuple[Street, str]]:
    """The pieces of street at a place, each with the place at its other end."""
    for street in STREETS:
        if here == street.one:
            yield street, street.other
        elif here == street.other:
            yield street, street.one


def _backwards(origin: str, here: str, came_from: dict[str, str], arrived_by: dict[str, _Leg]) -> list[_Leg]:
    """Walk back from the destination; the town is connected, so that there is always a way."""
    legs = []
    while here != origin:
        legs.append(arrived_by[here])
        here = came_from[here]
    return legs[::-1]


def _steps(legs: Sequence[_Leg]) -> Iterator[Step]:
    """One step a street: a street may bend, so that its pieces become one unless the way turns back on it."""
    step: Step | None = None
    for before, leg in zip([None, *legs], legs, strict=False):
        turn = _turn(before, leg)
        if step and step.street == leg.street.name and turn != "turn back":
            step = step._replace(metres=step.metres + leg.street.metres)
            continue
        if step:
            yield step
        step = Step(leg.street.name, leg.street.metres, turn)
    if step:
        yield step


def _turn(before: _Leg | None, after: _Leg) -> str:
    """How to get from one piece of street into the next."""
    if before is None:
        return "start"
    angle = (_bearing(after) - _bearing(before) + 180) % 360 - 180
    if abs(angle) <= STRAIGHT_ON:
        return "straight on"
    if before.street == after.street or abs(angle) >= TURN_BACK:
        return "turn back"
    return "right" if angle > 0 else "left"


def _bearing(leg: _Leg) -> float:
    """Degrees from north, clockwise."""
    return math.degrees(math.atan2(leg.end.east - leg.start.east, leg.end.north - leg.start.north))
