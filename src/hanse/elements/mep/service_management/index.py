"""The index of services, a host's own and its neighbours', on shelves by what queries ask for.

A query names services by id, name or category, or does not; then it may narrow by locality (ETSI GS MEC 011 V3.1.1,
8.2.3.3.1). So whatever can be named has one shelf for each kind of locality that occurs there, and an answer is those
shelves that fit, one after the other. Records are encoded when they change, and shelves are joined when they are first
asked for after that: no question looks at single services.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import msgspec

from hanse.elements.mep.service_management.domain import ANY_SERVICE, Name, service_names
from hanse.kit.contract.declare import Prepared
from hanse.refpoints.mp1.services import LocalityType, ServiceInfo, ServiceQuery, ServiceState

_encode = msgspec.json.Encoder().encode


class Locality(NamedTuple):
    """What queries narrow by. ``rank`` orders answers: 0 for this host, then its neighbours, the nearest first."""

    rank: int
    scope: LocalityType
    consumed_local_only: bool
    is_local: bool


class Shelf:
    """Services with one locality, by their ids; a service that changes keeps its place."""

    __slots__ = ("_encoded", "_joined", "services")

    def __init__(self) -> None:
        self.services: dict[str, ServiceInfo] = {}
        self._encoded: dict[str, bytes] = {}
        self._joined: bytes | None = None

    def put(self, service_id: str, service: ServiceInfo, encoded: bytes) -> None:
        """Add or replace a service."""
        self.services[service_id] = service
        self._encoded[service_id] = encoded
        self._joined = None

    def remove(self, service_id: str) -> None:
        """Take one away that is there."""
        del self.services[service_id], self._encoded[service_id]
        self._joined = None

    @property
    def joined(self) -> bytes:
        """The records as they stand in a JSON array, without its brackets."""
        if self._joined is None:
            self._joined = b",".join(self._encoded.values())
        return self._joined


class _Known(NamedTuple):
    """A service; ``number`` counts those that came before it."""

    service: ServiceInfo
    rank: int
    number: int


class ServiceIndex:
    """Services as Mp1 shows them.

    ``changed`` is called after each change of a service of this host.
    """

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._changed = changed
        self._known: dict[str, _Known] = {}
        self._came = 0
        self._shelves: dict[Name, dict[Locality, Shelf]] = {}

    def find(self, service_id: str) -> ServiceInfo | None:
        """The service of that id, a suspended one too."""
        known = self._known.get(service_id)
        return known and known.service

    def answer(self, query: ServiceQuery) -> Prepared[ServiceInfo]:
        """The services that fit a query, encoded already; those of this host come first, then the nearest.

        Within a host a change may move a service, to another shelf; who reads pages has them as they came (`_place`).
        """
        scope, consumed, local = query.scope_of_locality, query.consumed_local_only, query.is_local is True
        found = [
            (locality.rank, shelf)
            for name in _named_by(query)
            for locality, shelf in self._shelves.get(name, {}).items()
            if (locality.scope is scope or scope is msgspec.UNSET)
            and (locality.consumed_local_only is consumed or consumed is msgspec.UNSET)
            and (locality.is_local or not local)
        ]
        if len(found) > 1:
            found.sort(key=_rank)
        services = chain.from_iterable([shelf.services.values() for _, shelf in found])
        return Prepared(services, b"[%b]" % b",".join([shelf.joined for _, shelf in found]), self._place)

    def _place(self, service: ServiceInfo) -> tuple[int, int]:
        """Of a service that is known, or was a moment ago: no change of it changes that."""
        known = self._known.get(str(service.ser_instance_id))
        return (known.rank, known.number) if known else (0, self._came)

    def put(self, service: ServiceInfo, rank: int = 0) -> None:
        """A service has come or changed, of this host or of the neighbour of that rank."""
        identifier = str(service.ser_instance_id)
        before = self._known.get(identifier)
        if before is None:
            self._came += 1
        self._known[identifier] = _Known(service, rank, before.number if before else self._came)
        places, encoded = set(_places(service, rank)), _encode(service)
        if before is not None:
            gone = [place for place in _places(before.service, before.rank) if place not in places]
            self._take_away(identifier, gone)
        for name, locality in places:
            self._shelves.setdefault(name, {}).setdefault(locality, Shelf()).put(identifier, service, encoded)
        self._told(rank)

    def remove(self, service_id: str) -> None:
        """A service has gone; an unknown one is no error."""
        known = self._known.pop(service_id, None)
        if known is not None:
            self._take_away(service_id, _places(known.service, known.rank))
            self._told(known.rank)

    def _take_away(self, service_id: str, places: Iterable[tuple[Name, Locality]]) -> None:
        for name, locality in places:
            shelves = self._shelves[name]
            shelves[locality].remove(service_id)
            if not shelves[locality].services:
                del shelves[locality]
            if not shelves:
                del self._shelves[name]

    def _told(self, rank: int) -> None:
        if rank == 0:
            self._changed()


def _rank(found: tuple[int, Shelf]) -> int:
    return found[0]


def _places(service: ServiceInfo, rank: int) -> Iterator[tuple[Name, Locality]]:
    """Where a service stands; nowhere while it is suspended: then it is not discoverable (8.1.6.6)."""
    if service.state is ServiceState.SUSPENDED:
        return
    local = service.is_local is not False
    locality = Locality(rank, service.scope_of_locality, service.consumed_local_only, local)
    for name in service_names(service):
        yield name, locality


def _named_by(query: ServiceQuery) -> Iterable[Name]:
    """What a query names, in its order; the three ways exclude each other."""
    if query.ser_name is not msgspec.UNSET:
        return [("name", name) for name in dict.fromkeys(query.ser_name)]
    if query.ser_instance_id is not msgspec.UNSET:
        return [("id", identifier) for identifier in dict.fromkeys(query.ser_instance_id)]
    if query.ser_category_id is not msgspec.UNSET:
        return [("category", query.ser_category_id)]
    return [ANY_SERVICE]
