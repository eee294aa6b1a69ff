"""A name server outside: each change of ours becomes a signed update of the names that it touches."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence, Set
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.name
from dns.rcode import Rcode
from dns.update import UpdateMessage

from hanse.drivers.names_rfc2136.journal import Published, load, save
from hanse.drivers.names_rfc2136.updates import SAME_FOR_ALL, Key, by_name, canonical, check, updates
from hanse.kit.failpoints import effect
from hanse.kit.problems import Problem, bad_request
from hanse.refpoints.mp2 import BY_CLIENT, NameRecord, NameRecords, NameServer, NameServerCapabilities, check_owned

PATIENCE = 5.0
"""Seconds that the server has for an update."""


class UpdatedNames(NameServer):
    """Keeps ``zone`` of the authoritative server at ``address`` and ``port`` up to date with a key that may do so.

    ``file`` remembers what was published. A record that could not be published (503) counts as not published: whoever
    asked for it asks again.
    """

    def __init__(self, address: str, port: int, zone: str, key: Key, file: Path) -> None:
        self.address, self.port = address, port
        self._zone = dns.name.from_text(zone)
        self._key = key.ring()
        self._file = file
        self._records: dict[str, NameRecord] = {}
        self._doubtful: set[str] = set()
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Bring the outside server to what was published before; 503 if it cannot be."""
        published = await asyncio.to_thread(load, self._file)
        self._records = {record.record_id: record for record in published.records}
        self._doubtful = {canonical(name) for name in published.names}
        async with self._lock:
            await self._send(self._doubtful, self._records, set())
            await self._remember()

    async def close(self) -> None:
        """The records stay outside: that server answers on."""

    @effect("names.publish")
    async def publish(self, record_id: str, record: NameRecord) -> None:
        """Let the outside server answer with it; 400 names what cannot be, 503 who did not do it and why."""
        if record.record_id != record_id:
            raise bad_request("recordId differs", f"the address says {record_id}, the body {record.record_id}")
        check(record, self._zone)
        async with self._lock:
            await self._change({**self._records, record_id: record})

    @effect("names.retract")
    async def retract(self, record_id: str) -> None:
        """Let it answer with it no more."""
        async with self._lock:
            if record_id in self._records:
                await self._change({k: r for k, r in self._records.items() if k != record_id})

    @effect("names.publish_all")
    async def publish_all(self, owner: str, records: NameRecords) -> None:
        """Let it answer with these and no others of the owner, by one update if they fit; 400 and 503 as `publish`."""
        check_owned(owner, records)
        for record in records.records:
            check(record, self._zone)
        async with self._lock:
            others = {k: r for k, r in self._records.items() if r.owner != owner}
            await self._change({**others, **{r.record_id: r for r in records.records}})

    async def capabilities(self) -> NameServerCapabilities:
        """Everything but what plain DNS cannot tell apart."""
        return NameServerCapabilities(kind="rfc2136", lacks={BY_CLIENT: SAME_FOR_ALL})

    async def records(self) -> list[NameRecord]:
        """All records in force, in the order of their ids."""
        return [self._records[record_id] for record_id in sorted(self._records)]

    async def _change(self, wanted: dict[str, NameRecord]) -> None:
        """From the records in force to those wanted: the file first, then the server."""
        present = self._records
        ids = [k for k in present.keys() | wanted.keys() if present.get(k) != wanted.get(k)]
        touched = [r for k in ids for r in (present.get(k), wanted.get(k)) if r is not None]
        names = self._doubtful | {canonical(record.name) for record in touched}
        new = names - self._ours()
        self._doubtful |= names
        await self._remember()
        try:
            await self._send(names, wanted, new)
        except Problem:
            # those that were sent too: the records are still those before
            self._doubtful |= names - new
            await self._remember()
            raise
        self._records = wanted
        await self._remember()

    def _ours(self) -> set[str]:
        """All names that may be ours outside: an update without answer may yet have been made."""
        return {canonical(record.name) for record in self._records.values()} | self._doubtful

    async def _remember(self) -> None:
        published = Published(records=list(self._records.values()), names=sorted(self._ours()))
        await asyncio.to_thread(save, self._file, published)

    async def _send(self, names: Set[str], records: dict[str, NameRecord], new: set[str]) -> None:
        """Bring the names to the records; of the ``new`` ones, those that were or may have been made are taken out."""
        for message in updates(self._zone, by_name(names, records.values()), self._key, frozenset(new)):
            told = list(dict.fromkeys(record_set.name.to_text() for record_set in message.update))
            answer = await self._exchange(message, told, new)
            if answer != Rcode.NOERROR:
                self._doubtful -= new
                raise self._refused(told, answer)
            new.difference_update(told)
            self._doubtful.difference_update(told)

    async def _exchange(self, message: UpdateMessage, names: Sequence[str], new: set[str]) -> Rcode:
        try:
            return (await dns.asyncquery.tcp(message, self.address, PATIENCE, self.port)).rcode()
        except (dns.exception.DNSException, OSError, EOFError) as error:
            if not isinstance(error, ConnectionRefusedError):
                new.difference_update(names)  # it may have been made, and only the answer was lost
            self._doubtful -= new
            raise self._failed(503, names, str(error) or type(error).__name__) from None

    def _refused(self, names: Sequence[str], code: Rcode) -> Problem:
        if code == Rcode.YXRRSET:
            which = "one of them" if names[1:] else "it"
            why = f"{which} has an address or alias there that is not ours; take that away, or publish another name"
            return self._failed(409, names, why)
        return self._failed(503, names, f"it said {Rcode(code).name}; may the key update {self._zone}?")

    def _failed(self, status: int, names: Sequence[str], why: str) -> Problem:
        others = f" and {len(names) - 1} more" if names[1:] else ""
        title = f"The name server {self.address}, port {self.port}, did not take {names[0].removesuffix('.')}{others}"
        return Problem(status, title, why)
