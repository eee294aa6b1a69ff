"""Keeping what another element carries out at what the records say, owner by owner, whatever happens to either.

A change of one owner costs what that owner has. To look after everybody costs one listing and one walk over the
records; only what differs is asked for, many at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from hanse.elements.mep.steering.turns import Turns
from hanse.kit.contract.call import UNTRACED, continuing
from hanse.kit.problems import Problem

log = logging.getLogger("hanse.mep")

T = TypeVar("T")
Things = Mapping[str, T]
"""What one owner has, by its ids."""
ByOwner = Mapping[str, Things[T]]

AT_ONCE = 2000
"""Things that are changed before others may change theirs; a data plane in the kernel pays for each call."""
LOOKED_AT = 500
"""Things of a listing that are looked at in one go."""
PATIENCE = 10.0
"""Seconds for a listing, and for each so many changes; what is not done by then is done by the next look."""


class Refused(NamedTuple):
    """What cannot be carried out as it is, and why."""

    name: str
    problem: Problem


class Side(Protocol[T]):
    """One kind of thing, and the element that carries it out."""

    def known(self) -> set[str]:
        """Owners that may have something by the records."""

    def together(self, owners: Iterable[str]) -> Iterable[Collection[str]]:
        """Owners in small groups, in an order in which they are looked at cheaply."""

    async def present(self, owner: str | None = None) -> ByOwner[T]:
        """What is carried out, for one owner or for all."""

    async def wanted(self, owners: Collection[str]) -> ByOwner[T]:
        """What should be, by the records as they are."""

    async def change(self, present: ByOwner[T], wanted: ByOwner[T]) -> Sequence[Refused]:
        """From the one to the other for the owners of ``wanted``; 5xx: not all of it was done."""


class Keeper(Generic[T]):
    """One change at a time: two of one owner would undo each other."""

    def __init__(self, side: Side[T]) -> None:
        self._side = side
        self._lock = asyncio.Lock()
        self._refused: dict[str, str] = {}

    async def apply(self, owner: str) -> None:
        """Have an owner's things carried out; the first refusal is raised when all else is done."""
        async with self._lock:
            refused = await self._bring([owner], await self._side.present(owner))
        for each in refused:
            raise each.problem

    async def follow(self, owners: Collection[str]) -> None:
        """The same for some, of whom nobody waits for an answer: refusals are logged."""
        with continuing(UNTRACED, patience=PATIENCE):
            present = await self._side.present(next(iter(owners)) if len(owners) == 1 else None)
        for each in await self._bring_all(owners, present):
            log.info("%s is not carried out: %s", each.name, each.problem)

    async def restore(self) -> None:
        """The same for all, and take out what belongs to nobody. A refusal is logged when it is new."""
        with continuing(UNTRACED, patience=PATIENCE):
            present = await self._side.present()
        refused = await self._bring_all(self._side.known() | present.keys(), present)
        for each in refused:
            if self._refused.get(each.name) != str(each.problem):
                log.warning("%s is not carried out: %s", each.name, each.problem)
        self._refused = {each.name: str(each.problem) for each in refused}

    async def _bring_all(self, owners: Collection[str], present: ByOwner[T]) -> list[Refused]:
        """``present`` may be old when it is used: then a change is asked for twice, which does no harm."""
        refused: list[Refused] = []
        async for some in self._parts(owners, present):
            async with self._lock:
                with continuing(UNTRACED, patience=PATIENCE):
                    refused += await self._bring(some, present)
        return refused

    async def _bring(self, owners: Collection[str], present: ByOwner[T]) -> Sequence[Refused]:
        return await self._side.change(present, await self._side.wanted(owners))

    async def _parts(self, owners: Collection[str], present: ByOwner[T]) -> AsyncIterator[list[str]]:
        """Those that lack or have too much, in parts of about so many things as are changed at once."""
        turns, part, size = Turns(), list[str](), 0
        for group in self._side.together(owners):
            wanted = await self._side.wanted(group)
            behind = [owner for owner, things in wanted.items() if things != present.get(owner, {})]
            part += behind
            size += sum(len(wanted[owner]) + len(present.get(owner, ())) for owner in behind)
            if size >= AT_ONCE:
                yield part
                part, size = [], 0
            await turns.give()
        if part:
            yield part


async def by_owner(things: Iterable[tuple[str, str, T]]) -> ByOwner[T]:
    """A listing, of owners, ids and things, as `Side.present` tells it; in turns, as it may be long."""
    found: dict[str, dict[str, T]] = {}
    await asyncio.sleep(0)  # to have it made was a turn
    turns = Turns()
    for number, (owner, name, thing) in enumerate(things):
        found.setdefault(owner, {})[name] = thing
        if number % LOOKED_AT == 0:
            await turns.give()
    return found
