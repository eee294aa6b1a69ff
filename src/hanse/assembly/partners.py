"""Partners as seen from one process: whether the agreement stands."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from hanse.kit.background import Background
from hanse.kit.contract.call import UNTRACED, continuing
from hanse.kit.problems import Problem, unreachable
from hanse.refpoints.mfm_fed.members import Membership, Partner

log = logging.getLogger("hanse.partners")

WATCH_PERIOD = 0.2
"""Seconds between two looks at the agreements: closing must be felt within a second."""
STANDING_LASTS = 1.0
"""Seconds without a word of the federation manager after which no agreement is taken to stand; what is open is cut."""

Ended = Callable[[str], Awaitable[None]]


class PartnerWatch:
    """Follows the agreements that the federation manager keeps, and tells who must know when one has ended.

    While the manager does not answer nobody knows whether an agreement was closed: then none stands, until it answers.
    What is open by then is cut as if each had ended: no call outlasts the word that allowed it.
    """

    def __init__(self, membership: Membership) -> None:
        self._membership = membership
        self._partners: dict[str, Partner] = {}
        self._answered = 0.0
        self._known = False
        self._ended: list[Ended] = []
        self._background = Background()

    def on_end(self, tell: Ended) -> None:
        """Call ``tell`` with the partner's name when its agreement has ended."""
        self._ended.append(tell)

    def standing(self, name: str) -> Partner | None:
        """How it stands with a partner, as of the last look; ``None`` if that is not known (any more)."""
        return self._partners.get(name) if self._known else None

    def epoch(self, name: str) -> int | None:
        """The number of the open agreement with a partner; ``None`` if there is none."""
        partner = self.standing(name)
        return partner.epoch if partner is not None and partner.open else None

    async def start_up(self) -> None:
        """Begin to watch."""
        self._background.start(self._watch())

    async def shut_down(self) -> None:
        """Stop watching."""
        await self._background.stop()

    async def look(self) -> None:
        """Look once, now; a problem if the manager does not answer in time."""
        try:
            partners = await self._list()
        except Exception:
            await self._doubt()
            raise
        self._answered, self._known = time.monotonic(), True
        for partner in partners:
            before = self._partners.get(partner.name)
            self._partners[partner.name] = partner
            if before is not None and before.open and (not partner.open or partner.epoch != before.epoch):
                await self._tell_ended(partner.name)

    async def _list(self) -> list[Partner]:
        patience = STANDING_LASTS - WATCH_PERIOD
        try:
            async with asyncio.timeout(patience):
                with continuing(UNTRACED, patience=patience):
                    return await self._membership.list_partners()
        except TimeoutError:
            raise unreachable("federation_manager", f"no answer within {patience:.1f} s") from None

    async def _doubt(self) -> None:
        """Forget how it stands if the next look would come too late, and have cut what is open."""
        if not self._known or time.monotonic() - self._answered <= STANDING_LASTS - WATCH_PERIOD:
            return
        log.warning("the federation manager does not answer: no agreement is taken to stand until it does")
        self._known = False
        for partner in list(self._partners.values()):
            if partner.open:
                await self._tell_ended(partner.name)

    async def _tell_ended(self, name: str) -> None:
        """Tell everyone; one that fails must not keep the others from cutting what they have."""
        for tell in self._ended:
            try:
                await tell(name)
            except Exception:
                log.exception("ending what there is with %s failed", name)

    async def _watch(self) -> None:
        while True:
            try:
                await self.look()
            except Problem as problem:
                log.debug("looking at agreements failed: %s", problem)
            except Exception:
                log.exception("looking at agreements failed")
            await asyncio.sleep(WATCH_PERIOD)
