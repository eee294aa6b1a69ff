"""The authorisation matrix: every operation, by who may call it, in every wiring, with everything that may be shown.

It is made from the table of reference points, so that an operation which is added there has its cells at once; what has
none is found by `missing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hanse.kit.contract.reference import ReferencePoint
from tests.contract.credentials import ANOTHERS, EXPIRED, FOREIGN, KINDS, MALFORMED, NONE, REVOKED, RIGHT, means_of
from tests.contract.recorded import REACHED, Target, targets
from tests.contract.world import ROLES

WIRINGS = ("direct", "memory", "socket")
NOT_THERE = {
    ("direct", MALFORMED): "nothing is shown within a process",
    ("direct", EXPIRED): "nothing is shown within a process",
    ("direct", REVOKED): "nothing is shown within a process",
}
"""Cells that there cannot be, by wiring and what is shown, each with the reason."""
TLS_ALONE = {("memory", "certificate", EXPIRED)}
"""What TLS finds out before a byte is read: the joined client and server of the memory wiring have none."""


@dataclass(frozen=True)
class Cell:
    """One way to come to a provider: all its operations are called so."""

    provider: str
    user: str
    means: str
    wiring: str
    kind: str

    def __str__(self) -> str:
        return f"{self.provider}-{self.user}-{self.means}-{self.wiring}-{self.kind}".replace(" ", "_")

    def covers(self, target: Target) -> bool:
        """Whether the cell is one of the operation, whose user it is."""
        return self.user in target.users

    def expected(self, target: Target) -> set[int]:
        """The statuses that are right, with `REACHED` among them if the provider must be reached."""
        allowed = {REACHED} if self.user in target.users else {403}
        if self.kind == RIGHT:
            return allowed
        if self.kind == ANOTHERS and self.user == "app":
            return {403} if "app_instance_id" in target.operation.path_parameters else allowed
        if self.wiring == "direct" or (self.kind == ANOTHERS and self.means == "certificate"):
            return {403}
        return self._unknown()

    def _unknown(self) -> set[int]:
        """Nobody, as far as the provider can tell; over a socket TLS itself may refuse to go on."""
        by_tls = self.means == "certificate" and self.kind in (EXPIRED, FOREIGN)
        at_border = self.provider == "border" and self.kind in (NONE, FOREIGN)
        return {401, 503} if self.wiring == "socket" and (by_tls or at_border) else {401}


def cells(points: Sequence[ReferencePoint]) -> list[Cell]:
    """All cells of a table of reference points."""
    users = sorted({(offer.provider, user) for point in points for offer in point.offers for user in offer.users})
    return [
        Cell(provider, user, means, wiring, kind)
        for provider, user in users
        for means in means_of(provider, user)
        for wiring in WIRINGS
        for kind in KINDS
        if (wiring, kind) not in NOT_THERE and (wiring, means, kind) not in TLS_ALONE
        if wiring != "direct" or means == means_of(provider, user)[0]
    ]


def missing(points: Sequence[ReferencePoint], known: Iterable[Cell]) -> list[str]:
    """The cells that operations of a table lack: each needs one for each wiring and kind, from each of its users."""
    there = {(c.provider, c.user, c.wiring, c.kind) for c in known}
    providers = sorted({offer.provider for point in points for offer in point.offers})
    unknown = [f"{provider}: no element of this role is tried" for provider in providers if provider not in ROLES]
    lacking = [
        f"{provider}.{target.operation.name} by {user}: {wiring}, {kind}"
        for provider in providers
        for target in targets(provider, points)
        for user in sorted(target.users)
        for wiring in WIRINGS
        for kind in KINDS
        if (wiring, kind) not in NOT_THERE
        if not all((wiring, means, kind) in TLS_ALONE for means in means_of(provider, user))
        if (provider, user, wiring, kind) not in there
    ]
    return unknown + lacking
