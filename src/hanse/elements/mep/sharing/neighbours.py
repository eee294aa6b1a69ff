"""Neighbours: the services that platforms of other hosts of this system share, as apps of this host see them (Mp3)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import msgspec

from hanse.elements.mep.notices import Notices
from hanse.elements.mep.records import NeighbourRecord, Records, RemoteService
from hanse.elements.mep.service_management import domain
from hanse.elements.mep.service_management.index import ServiceIndex
from hanse.elements.mep.service_management.links import service_uri
from hanse.elements.mep.service_management.locality import leaves_host, of_the_system
from hanse.elements.mep.service_management.silence import SilenceTimer
from hanse.elements.mep.service_management.transports import through
from hanse.elements.mep.sharing.remote import identifier_of
from hanse.elements.mep.steering.turns import Turns
from hanse.kit.contract.call import current_call
from hanse.kit.problems import Problem, forbidden
from hanse.kit.store import Store, Transaction
from hanse.kit.values import ABSENT, Link
from hanse.refpoints.mp1.services import ChangeType, ServiceInfo, ServiceLinks
from hanse.refpoints.mp3.services import PATIENCE, Announcement, SharedRule, SharedServices, SignOfLife

log = logging.getLogger("hanse.mep")

AGAIN = 1.0
"""Seconds until services of a silent neighbour that could not be removed are tried again."""

Seen = dict[str, RemoteService]
"""Services of one neighbour, by the ids that they have here."""
RulesChanged = Callable[[str, Sequence[SharedRule], Sequence[SharedRule]], None]


class Neighbours(SharedServices):
    """Hears other platforms; their services come, change and go here in one commit with the notices that tell of it."""

    def __init__(
        self,
        url: str,
        store: Store,
        records: Records,
        notices: Notices,
        index: ServiceIndex,
        nearest: Sequence[str],
        rules_changed: RulesChanged = lambda _host, _gone, _come: None,
    ) -> None:
        """``nearest``: the other hosts of the system, the nearest first; in this order apps find their services.

        ``rules_changed`` is told which rules a host announces no more, or in another way, and which it does now.
        """
        self._url = url
        self._store = store
        self._records = records
        self._notices = notices
        self._index = index
        self._rules_changed = rules_changed
        self._ranks = {host: rank for rank, host in enumerate(nearest, 1)}
        self._timer = SilenceTimer(self._forget)
        for record in records.neighbours.values():
            for service in record.services.values():
                index.put(service.service, self._rank(record.host))

    async def watch(self) -> None:
        """Remove services of who is silent, until cancelled; at the start all have the whole patience."""
        for host in [record.host for record in self._records.neighbours.values()]:
            self._timer.hear(host, PATIENCE)
        await self._timer.run()

    async def alive(self, host: str, sign: SignOfLife) -> SignOfLife:
        """Note that the platform of a host lives."""
        _check_speaker(host)
        record = self._records.neighbours.find(host)
        if record is not None:
            self._timer.hear(host, PATIENCE)
        return SignOfLife(mark=record.mark if record else "")

    async def announce(self, host: str, announcement: Announcement) -> None:
        """Take over what a neighbour shares; services for its own host alone are left out, whoever sent them."""
        _check_speaker(host)
        shared = [s for s in announcement.services if leaves_host(s) and s.ser_instance_id is not ABSENT]
        seen, rules = await self._seen(host, shared), announcement.rules
        known = self._records.neighbours.find(host)
        if known is not None:  # they keep their order, in which pages are read, over a restart too
            seen = {identifier: seen[identifier] for identifier in known.services if identifier in seen} | seen
        record = NeighbourRecord(host=host, mark=announcement.mark, services=seen, rules=rules)
        self._timer.hear(host, PATIENCE)
        await self._store.commit(lambda tx: self._replace(tx, host, record))

    async def _seen(self, host: str, shared: list[ServiceInfo]) -> Seen:
        seen, turns = {}, Turns()
        for service in shared:
            await turns.give()
            reference = f"{host}/{service.ser_instance_id}"
            identifier = identifier_of("", reference)
            seen[identifier] = RemoteService(
                service=as_seen(service, identifier, self._url), system="", reference=reference
            )
        return seen

    async def _forget(self, silent: list[str]) -> None:
        log.info("platforms of %s are silent: their services are gone", ", ".join(silent))
        try:
            await self._store.commit(lambda tx: self._forgotten(tx, silent))
        except Problem as problem:
            log.warning("services of silent platforms are not removed yet: %s", problem)
            for host in silent:
                self._timer.hear(host, AGAIN)

    def _forgotten(self, tx: Transaction, silent: list[str]) -> None:
        for host in silent:
            if not self._timer.expects(host):  # it may have spoken again meanwhile
                self._replace(tx, host, None)

    def _replace(self, tx: Transaction, host: str, record: NeighbourRecord | None) -> None:
        known = tx.find(self._records.neighbours, host)
        before, after = known.services if known else {}, record.services if record else {}
        if record is None:
            tx.delete(self._records.neighbours, host)
        else:
            tx.put(self._records.neighbours, host, record)
        self._note_rules(tx, host, known, record)
        for identifier in [i for i in before if i not in after]:
            self._remove(tx, identifier, before[identifier].service)
        for identifier, service in after.items():
            self._put(tx, identifier, before.get(identifier), service, self._rank(host))

    def _note_rules(
        self, tx: Transaction, host: str, before: NeighbourRecord | None, after: NeighbourRecord | None
    ) -> None:
        past, present = _by_id(before), _by_id(after)
        gone = [rule for rule_id, rule in past.items() if present.get(rule_id) != rule]
        come = [rule for rule_id, rule in present.items() if past.get(rule_id) != rule]
        if gone or come:
            tx.after.append(lambda: self._rules_changed(host, gone, come))

    def _remove(self, tx: Transaction, identifier: str, service: ServiceInfo) -> None:
        tx.delete(self._records.remote, identifier)
        self._notices.service_changed(tx, service, ChangeType.REMOVED)
        tx.after.append(lambda: self._index.remove(identifier))

    def _rank(self, host: str) -> int:
        """The place of a host's services in answers; a host that is new to the settings comes last."""
        return self._ranks.get(host, len(self._ranks) + 1)

    def _put(
        self, tx: Transaction, identifier: str, before: RemoteService | None, after: RemoteService, rank: int
    ) -> None:
        if tx.find(self._records.remote, identifier) != after:  # a look-up may have put its own view there
            tx.put(self._records.remote, identifier, after)
        if before == after:
            return
        change = domain.change_between(before.service, after.service) if before else ChangeType.ADDED
        if change is not None:
            self._notices.service_changed(tx, after.service, change)
            tx.after.append(lambda: self._index.put(after.service, rank))


def as_seen(service: ServiceInfo, identifier: str, url: str) -> ServiceInfo:
    """A neighbour's service as apps of the platform at ``url`` see it: under an id of this host, called through it.

    It is local only if its scope is the whole system (ETSI GS MEC 011 V3.1.1, 8.1.2.2, note 6). Heartbeats are a matter
    of its own platform.
    """
    return msgspec.structs.replace(
        service,
        ser_instance_id=identifier,
        is_local=of_the_system(service),
        transport_info=through(url, service.transport_info, identifier),
        liveness_interval=ABSENT,
        links=ServiceLinks(self=Link(href=service_uri(url, identifier))),
    )


def _by_id(record: NeighbourRecord | None) -> dict[str, SharedRule]:
    return {rule.forwarding.rule_id: rule for rule in record.rules} if record else {}


def _check_speaker(host: str) -> None:
    """A platform speaks for its own host only."""
    speaker = current_call().caller.name
    if speaker != f"mep.{host}":
        raise forbidden(f"Platform of {host}", f"only mep.{host} speaks for it; the caller is {speaker}")
