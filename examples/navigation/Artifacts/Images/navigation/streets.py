"""The map: ten places of a small harbour town and the streets between them. The town is invented, the metres add up."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A junction with a name; ``east`` and ``north`` are metres from the station."""

    name: str
    east: int
    north: int


class Street(NamedTuple):
    """A piece of a street between two places (their digits), in metres along its bends; open both ways."""

    name: str
    one: str
    other: str
    metres: int


PLACES = {
    "0": Place("Central Station", 0, 0),
    "1": Place("Market Square", 420, 310),
    "2": Place("Old Harbour", 980, 640),
    "3": Place("Lighthouse", 1720, 900),
    "4": Place("Town Hall", 380, -150),
    "5": Place("University", -560, 480),
    "6": Place("Hospital", -390, -520),
    "7": Place("Stadium", 850, -610),
    "8": Place("Fish Market", 1310, 180),
    "9": Place("Airport", 2150, -480),
}

STREETS = (
    Street("Station Road", "0", "4", 410),
    Street("Merchants' Way", "0", "1", 530),
    Street("Merchants' Way", "1", "2", 660),
    Street("Mole Street", "2", "3", 810),
    Street("Guild Lane", "1", "4", 480),
    Street("College Hill", "0", "5", 760),
    Street("Ropewalk", "5", "1", 1010),
    Street("Infirmary Road", "0", "6", 655),
    Street("Meadow Street", "6", "4", 870),
    Street("Southern Avenue", "6", "7", 1290),
    Street("Arena Street", "4", "7", 670),
    Street("Quay Street", "2", "8", 575),
    Street("Quay Street", "8", "7", 940),
    Street("Warehouse Row", "1", "8", 920),
    Street("Beacon Road", "3", "8", 850),
    Street("Airport Road", "8", "9", 1080),
    Street("Southern Avenue", "7", "9", 1330),
)
