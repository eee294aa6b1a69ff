"""Types with every kind of attribute that a list can be filtered by or shortened of, and a fleet of them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from hanse.kit.values import ABSENT, Absent, Value


class Rig(StrEnum):
    COG = "COG"
    HULK = "HULK"


class Port(Value):
    name: str
    depth: float | Absent = ABSENT


class Papers(Value):
    self: str
    toll: Port | Absent = ABSENT


class Vessel(Value):
    id: str
    rig: Rig
    crew: int
    armed: bool = False
    home_port: str | Absent = ABSENT
    cargo: tuple[str, ...] | Absent = ABSENT
    calls: tuple[Port, ...] = ()
    master: Port | Absent = ABSENT
    remarks: dict[str, Any] | Absent = ABSENT
    papers: Papers = msgspec.field(name="_papers")  # type: ignore[misc]


ADLER = Vessel(
    id="Adler",
    rig=Rig.COG,
    crew=7,
    armed=True,
    home_port="Lübeck",
    cargo=("salt", "cloth, fine"),
    calls=(Port(name="Visby", depth=6.5), Port(name="Reval")),
    master=Port(name="Jan"),
    remarks={"built": 1389, "flags": {"red": True}, "yards": ["Danzig"]},
    papers=Papers(self="a", toll=Port(name="Sund", depth=12.0)),
)
BUNTE = Vessel(id="Bunte", rig=Rig.HULK, crew=30, cargo=("herring",), papers=Papers(self="b"))
CARL = Vessel(
    id="O'Carl (old)", rig=Rig.HULK, crew=12, calls=(Port(name="Bergen", depth=40.0),), papers=Papers(self="c")
)
FLEET = (ADLER, BUNTE, CARL)
