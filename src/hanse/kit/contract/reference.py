"""Reference points: which API, provided by whom, may be used by whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hanse.kit.contract.declare import Api


@dataclass(frozen=True)
class Offer:
    """An API on a reference point: the role that provides it and the roles that may use it.

    ``only`` names the operations that belong to this reference point (empty: all). ``own`` maps a role to the path
    parameter that must equal the caller's own subject: an application may name no other instance than itself.
    """

    api: type[Api]
    provider: str
    users: tuple[str, ...]
    only: tuple[str, ...] = ()
    own: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReferencePoint:
    """A reference point of the architecture: its name, what it joins, where the standard defines it."""

    name: str
    joins: str
    clause: str
    offers: tuple[Offer, ...]


def offers_of(points: Sequence[ReferencePoint], provider: str) -> list[tuple[ReferencePoint, Offer]]:
    """All that a role provides, with the reference point on which it does."""
    return [(point, offer) for point in points for offer in point.offers if offer.provider == provider]
