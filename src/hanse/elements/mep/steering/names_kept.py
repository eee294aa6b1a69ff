"""Names, kept in the name server of the host (Mp2): those of apps, and the operator's policies."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

from hanse.elements.mep.app_rules.rules import names
from hanse.elements.mep.records import Records
from hanse.elements.mep.steering.devices import Devices
from hanse.elements.mep.steering.keeping import ByOwner, Refused, Things, by_owner
from hanse.elements.mep.steering.led import name_of, owner_of, records_of
from hanse.kit.failpoints import effect
from hanse.kit.problems import Problem
from hanse.refpoints.mm1.steering import SteeringPolicy
from hanse.refpoints.mp2 import NameRecord, NameRecords, NameServer

TOGETHER = 32
"""Owners that are looked at in one go."""
UNDER_WAY = 16
"""Calls on a name server at a time."""


class Call(NamedTuple):
    """A change that is to be asked for, and whose."""

    name: str
    make: Callable[[], Awaitable[None]]


class NamesKept:
    """The DNS rules in force of this host's apps, and the records that policies are carried out by."""

    def __init__(self, name_server: NameServer, records: Records, devices: Devices) -> None:
        self._name_server = name_server
        self._records = records
        self._devices = devices
        self._made: dict[str, tuple[SteeringPolicy, dict[str, NameRecord]]] = {}

    def known(self) -> set[str]:
        """Apps of this host, and policies."""
        apps = {app_instance_id for app_instance_id, _ in self._records.apps.items()}
        return apps | {owner_of(name) for name, _ in self._records.policies.items()}

    def together(self, owners: Iterable[str]) -> Iterator[list[str]]:
        """In any order."""
        each = iter(owners)
        while some := list(islice(each, TOGETHER)):
            yield some

    async def present(self, owner: str | None = None) -> ByOwner[NameRecord]:
        """What the name server has."""
        server = self._name_server
        listed = await (server.records() if owner is None else server.records_of(owner))
        return await by_owner((record.owner, record.record_id, record) for record in listed)

    async def wanted(self, owners: Collection[str]) -> ByOwner[NameRecord]:
        """What it should have."""
        return {owner: self._wanted(owner) for owner in owners}

    @effect("mep.names")
    async def change(self, present: ByOwner[NameRecord], wanted: ByOwner[NameRecord]) -> Sequence[Refused]:
        """One call for each record that differs, some at a time; one for all records of a policy."""
        calls: list[Call] = []
        for owner, records in wanted.items():
            there = present.get(owner, {})
            if name_of(owner) is None:
                calls += self._of_app(there, records)
            elif there != records:
                calls.append(self._of_policy(owner, records))
        return [each for at in range(0, len(calls), UNDER_WAY) for each in await _made(calls[at : at + UNDER_WAY])]

    def _wanted(self, owner: str) -> dict[str, NameRecord]:
        name = name_of(owner)
        if name is not None:
            return self._by_policy(name)
        app = self._records.apps.find(owner)
        return {record.record_id: record for record in (names(app) if app else ())}

    def _by_policy(self, name: str) -> dict[str, NameRecord]:
        """Worked out once: that asks for every device."""
        policy = self._records.policies.find(name)
        if policy is None:
            self._made.pop(name, None)
            return {}
        before = self._made.get(name)
        if before is None or before[0] is not policy:
            records = {record.record_id: record for record in records_of(policy, self._devices)}
            before = self._made[name] = policy, records
        return before[1]

    def _of_app(self, there: Things[NameRecord], wanted: Things[NameRecord]) -> Iterator[Call]:
        for record_id in there.keys() - wanted.keys():
            yield Call(f"DNS rule {record_id}", partial(self._name_server.retract, record_id))
        for record_id, record in wanted.items():
            if there.get(record_id) != record:
                yield Call(f"DNS rule {record_id}", partial(self._name_server.publish, record_id, record))

    def _of_policy(self, owner: str, wanted: Things[NameRecord]) -> Call:
        """All records at once: between two of them a device would be led to where nobody meant."""
        records = NameRecords(records=tuple(wanted.values()))
        return Call(f"Policy {name_of(owner)}", partial(self._name_server.publish_all, owner, records))


async def _made(calls: Sequence[Call]) -> list[Refused]:
    """All of them at once; what was refused, or the problem that a call had when it was not."""
    told = await asyncio.gather(*(call.make() for call in calls), return_exceptions=True)
    refused = []
    for call, each in zip(calls, told, strict=True):
        if isinstance(each, Problem) and each.status < 500:
            refused.append(Refused(call.name, each))
        elif isinstance(each, BaseException):
            raise each
    return refused
