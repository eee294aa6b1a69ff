"""Partners: signs of life, look-ups of members, agreements that open and close (ETSI GR MEC 035, 6.3.2 and 6.5.2)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from hanse.elements.federation_manager.records import AgreementRecord, Records
from hanse.kit.contract.call import UNTRACED, continuing
from hanse.kit.problems import Problem, not_found
from hanse.kit.store import Store, Transaction
from hanse.kit.values import ABSENT
from hanse.refpoints.mff_fed.federation import Federation, FederationTerms, OfferedSystem
from hanse.refpoints.mfm_fed.members import Member, MemberQuery, Partner, PartnerState
from hanse.refpoints.mfm_fed.system_info import SystemInfo

log = logging.getLogger("hanse.federation_manager")

SIGN_OF_LIFE = 1.0
"""Seconds between two signs of life."""
ANSWER_PATIENCE = 2.0
"""Seconds that a partner may take for one answer."""
SETTLING = 1.0
"""Seconds in which the partner's border hears that the agreement was opened; until then it refuses (403)."""
AGAIN = 0.1
"""Seconds after which a border that has not heard of it yet is asked again."""
MOST_TOLD = 100
"""Systems that a partner may tell of; they are kept, and each is asked."""
LARGEST_TOLD = 4096
"""Bytes of one of them as JSON."""


@dataclass
class _Life:
    """What is known of a partner now, and not kept over a restart."""

    alive: bool | None = None
    since: float = field(default_factory=time.time)
    detail: str = ""
    systems: tuple[OfferedSystem, ...] = ()


class Partners:
    """The partners of an operator."""

    def __init__(
        self,
        operator: str,
        names: Sequence[str],
        store: Store,
        records: Records,
        peer: Callable[[str], Federation],
        period: float = SIGN_OF_LIFE,
    ) -> None:
        self._operator = operator
        self._store = store
        self._records = records
        self._peer = peer
        self._period = period
        self._lives = {name: _Life() for name in names}
        self._tasks: list[asyncio.Task[None]] = []

    async def start_up(self) -> None:
        """Form the federation with every partner, and say so again and again."""
        for name in self._lives:
            self._tasks.append(asyncio.create_task(self._live(name)))

    async def shut_down(self) -> None:
        """Say no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def agreement(self, name: str) -> AgreementRecord:
        """The agreement with a partner; a problem 404 if there is no such partner."""
        if name not in self._lives:
            raise not_found("partner", name)
        return self._records.agreements.find(name) or AgreementRecord(partner=name)

    def states(self) -> list[Partner]:
        """How it stands with each partner."""
        return [self._state(name, life) for name, life in self._lives.items()]

    def systems(self) -> list[SystemInfo]:
        """Systems of partners, as of their last signs of life."""
        return [
            SystemInfo(system_id=s.system_id, system_name=s.system_name, system_provider=s.system_provider)
            for name, life in self._lives.items()
            if life.alive and self.agreement(name).open
            for s in life.systems
        ]

    async def members(self, query: MemberQuery) -> list[Member]:
        """Systems of partners that offer a service now; a partner that does not answer offers none."""
        able = [name for name, life in self._lives.items() if life.alive and self.agreement(name).open]
        answers = await asyncio.gather(*(self._offered(name, query) for name in able))
        return [
            Member(system_id=system.system_id, system_name=system.system_name, partner=name)
            for name, systems in zip(able, answers, strict=True)
            for system in systems
        ]

    async def close(self, name: str) -> None:
        """End the agreement here, and tell the partner if it can be told."""
        await self._change(name, closed_here=True)
        with contextlib.suppress(Problem), continuing(patience=ANSWER_PATIENCE):
            await self._peer(name).end()

    async def open(self, name: str) -> None:
        """Begin the agreement anew; the partner learns of it by the next sign of life."""
        await self._change(name, closed_here=False)
        self._lives[name].alive = None  # what was known is of the time before
        await self._say_alive(name)

    async def ended_there(self, name: str) -> None:
        """The partner has ended the agreement."""
        await self._change(name, closed_there=True)

    async def formed_there(self, name: str) -> None:
        """The partner says that the federation stands."""
        if self.agreement(name).closed_there:
            await self._change(name, closed_there=False)

    async def _change(self, name: str, *, closed_here: bool | None = None, closed_there: bool | None = None) -> None:
        def decide(tx: Transaction) -> None:
            self.agreement(name)
            known = tx.find(self._records.agreements, name) or AgreementRecord(partner=name)
            changed = msgspec.structs.replace(
                known,
                closed_here=known.closed_here if closed_here is None else closed_here,
                closed_there=known.closed_there if closed_there is None else closed_there,
            )
            if known.open and not changed.open:
                changed = msgspec.structs.replace(changed, epoch=known.epoch + 1)
            tx.put(self._records.agreements, name, changed)

        await self._store.commit(decide)
        self._lives[name].since = time.time()

    async def _live(self, name: str) -> None:
        while True:
            if not self.agreement(name).closed_here:
                with continuing("" if self._lives[name].alive is None else UNTRACED):  # the first one alone is news
                    await self._say_alive(name)
            await asyncio.sleep(self._period)

    async def _say_alive(self, name: str) -> None:
        life = self._lives[name]
        try:
            with continuing(patience=ANSWER_PATIENCE):
                answer = await self._peer(name).form(FederationTerms(operator=self._operator))
                if answer.open and self.agreement(name).open:
                    life.systems = await self._systems_of(name)
            self._note(name, True, "" if answer.open else f"{name} has closed the agreement")
            if answer.open is self.agreement(name).closed_there:  # its word of opening or ending may have been lost
                await self._change(name, closed_there=not answer.open)
        except Problem as problem:
            self._note(name, False, f"{problem.title}: {problem.detail}")
        except Exception as error:  # whatever a partner sends must not end the signs of life
            log.exception("sign of life to %s failed", name)
            self._note(name, False, type(error).__name__)

    async def _systems_of(self, name: str) -> tuple[OfferedSystem, ...]:
        """What a partner offers; a border that may not have heard of the agreement yet is asked until it has."""
        while True:
            try:
                return told(await self._peer(name).offered_systems(MemberQuery(ser_name=ABSENT)))
            except Problem as problem:
                if problem.status != 403 or time.time() > self._lives[name].since + SETTLING:
                    raise
            await asyncio.sleep(AGAIN)

    def _note(self, name: str, alive: bool, detail: str) -> None:
        life = self._lives[name]
        if life.alive is not alive:
            life.alive, life.since = alive, time.time()
        life.detail = detail

    async def _offered(self, name: str, query: MemberQuery) -> Sequence[OfferedSystem]:
        try:
            with continuing(patience=ANSWER_PATIENCE):
                return told(await self._peer(name).offered_systems(query))
        except Problem as problem:
            log.warning("asking %s for systems failed: %s", name, problem)
            return []

    def _state(self, name: str, life: _Life) -> Partner:
        agreement = self.agreement(name)
        state = PartnerState.FORMING
        if not agreement.open:
            state = PartnerState.CLOSED
        elif life.alive is not None:
            state = PartnerState.AVAILABLE if life.alive else PartnerState.TEMPORARY_FAILURE
        return Partner(
            name=name,
            state=state,
            open=agreement.open,
            epoch=agreement.epoch,
            since=life.since,
            detail=life.detail,
        )


def told(systems: Sequence[OfferedSystem]) -> tuple[OfferedSystem, ...]:
    """Of what a partner tells as much as there is room for."""
    return tuple(system for system in systems if len(msgspec.json.encode(system)) <= LARGEST_TOLD)[:MOST_TOLD]
