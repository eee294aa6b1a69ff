"""The border: the one place where calls of other operators arrive.

It knows the partner by its certificate and token (before the call comes here), checks the agreement, translates names
and problems, and hands the call on inside. What is not shared is not there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec

from hanse.elements.border.records import NAMES_KEPT, Pseudonym
from hanse.elements.border.translation import Translator, outward
from hanse.kit.contract.call import continuing, current_call
from hanse.kit.contract.declare import Stream
from hanse.kit.contract.exchange import Exchange, abandon, leaves_base
from hanse.kit.problems import Problem, forbidden, not_found
from hanse.kit.store import Store, Transaction
from hanse.kit.values import Absent
from hanse.model.agreement import Agreement
from hanse.refpoints.meo_fed.platforms import PlatformDiscovery, PlatformOffer
from hanse.refpoints.mff_fed.federation import Federation, FederationAnswer, FederationTerms, OfferedSystem
from hanse.refpoints.mfm_fed.members import MemberQuery, Partner
from hanse.refpoints.mpp_fed.consumption import ServiceConsumption, as_named

T = TypeVar("T")


class Border(Federation, PlatformDiscovery, ServiceConsumption):
    """One operator's border towards all its partners."""

    def __init__(
        self,
        *,
        store: Store,
        agreements: Mapping[str, Agreement],
        standing: Callable[[str], Partner | None],
        manager: Federation,
        orchestrator: PlatformDiscovery,
        platform: Callable[[str], ServiceConsumption],
        zones: Mapping[str, str],
        seed: bytes,
        names_kept: int = NAMES_KEPT,
    ) -> None:
        """``zones``: the zone of each host, by the host's name.

        ``names_kept``: pseudonyms that one partner can use; the oldest go first, a new look-up brings them back.
        """
        self._store = store
        self._agreements = agreements
        self._standing = standing
        self._manager = manager
        self._orchestrator = orchestrator
        self._platform = platform
        self._zones = zones
        self._names_kept = names_kept
        self._translator = Translator(seed)
        self._pseudonyms = store.shelf("pseudonym", Pseudonym)

    async def form(self, terms: FederationTerms) -> FederationAnswer:
        """Possible also while the agreement is closed: it is how it is opened."""
        return await self._inside(lambda: self._manager.form(terms))

    async def end(self) -> None:
        """Possible at any time."""
        await self._inside(self._manager.end)

    async def offered_systems(self, query: MemberQuery) -> list[OfferedSystem]:
        """Only what is shared may be asked for; anything else is not there."""
        agreement, _ = self._open_agreement()
        restricted = _restricted(query, agreement)
        if restricted is None:
            return []
        return await self._inside(lambda: self._manager.offered_systems(restricted))

    async def platforms(self, system_id: str, query: MemberQuery) -> list[PlatformOffer]:
        """Platforms under pseudonyms, with what is shared of them."""
        agreement, epoch = self._open_agreement()
        restricted = _restricted(query, agreement)
        if restricted is None:
            return []
        found = await self._inside(lambda: self._orchestrator.platforms(system_id, restricted))
        told, names = self._translator.offers(found, agreement, epoch)
        await self._remember(agreement.partner, epoch, names)
        return told

    async def consume(self, reference: str, rest: str, exchange: Exchange) -> Stream:
        """A request to a shared service, by its pseudonym; what an app says of its own failure stays inside."""
        agreement, epoch = self._open_agreement()
        known = self._pseudonyms.find(reference)
        if known is None or (known.partner, known.epoch) != (agreement.partner, epoch):
            raise not_found("service", reference)
        if not self._shared(known, agreement) or leaves_base(rest):
            raise not_found("service", reference)
        inner = as_named(known.ser_instance_id, known.ser_name)
        answer = await self._inside(lambda: self._platform(known.host).consume(inner, rest, exchange))
        if answer.status >= 500:
            await abandon(answer)
            raise outward(Problem(answer.status, "The service failed", headers=_again_after(answer)))
        return answer

    def _shared(self, known: Pseudonym, agreement: Agreement) -> bool:
        """Whether what a pseudonym stands for is shared now: the agreement and the hosts may be others than then."""
        zone = self._zones.get(known.host)
        return zone is not None and agreement.shares_zone(zone) and agreement.shares_service(known.ser_name)

    def _open_agreement(self) -> tuple[Agreement, int]:
        partner = current_call().caller.subject
        standing, agreement = self._standing(partner), self._agreements.get(partner)
        if agreement is None or standing is None or not standing.open:
            raise forbidden("No agreement", "the agreement between the two operators is not open")
        return agreement, standing.epoch

    async def _inside(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            with continuing(tenant=current_call().caller.subject):
                return await call()
        except Problem as problem:
            raise outward(problem) from None

    async def _remember(self, partner: str, epoch: int, names: Mapping[str, Pseudonym]) -> None:
        new = {name: p for name, p in names.items() if self._pseudonyms.find(name) != p}

        def decide(tx: Transaction) -> None:
            for name, known in new.items():
                tx.put(self._pseudonyms, name, known)
            self._forget(tx, partner, epoch, names)

        if new:
            await self._store.commit(decide)

    def _forget(self, tx: Transaction, partner: str, epoch: int, told: Mapping[str, Pseudonym]) -> None:
        """Drop what was told the partner under earlier agreements, and the oldest of what is too many."""
        known = [(name, p) for name, p in tx.items(self._pseudonyms) if p.partner == partner]
        for name in [name for name, p in known if p.epoch < epoch]:
            tx.delete(self._pseudonyms, name)
        current = [name for name, p in known if p.epoch >= epoch]
        droppable = [name for name in current if name not in told]
        for name in droppable[: max(0, len(current) - self._names_kept)]:
            tx.delete(self._pseudonyms, name)


def _restricted(query: MemberQuery, agreement: Agreement) -> MemberQuery | None:
    """The query without what is not shared; ``None`` if nothing is left of it."""
    if isinstance(query.ser_name, Absent):
        return query
    names = tuple(name for name in query.ser_name if agreement.shares_service(name))
    return msgspec.structs.replace(query, ser_name=names) if names else None


def _again_after(answer: Stream) -> dict[str, str]:
    told = dict(answer.headers).get("retry-after")
    return {"Retry-After": told} if told else {}
