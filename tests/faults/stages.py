"""Two operators on a stage of their own, for tests of what happens between them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hanse.assembly.administration import administration
from hanse.assembly.onboarding import bring_up
from hanse.refpoints.mfm_fed.members import PartnerState
from hanse.scenarios.stage import Stage


@asynccontextmanager
async def federated(directory: Path, *, separate: bool = False) -> AsyncIterator[Stage]:
    """Two operators that have found each other; whatever happens, nothing of them is left."""
    stage = Stage(directory, separate=separate)
    try:
        await stage.start()
        for name in ("north", "south"):
            assert await until(lambda name=name: stands(stage, name, PartnerState.AVAILABLE)), name  # type: ignore[misc]
        yield stage
    finally:
        await asyncio.to_thread(stage.clear)


async def stands(stage: Stage, operator: str, state: PartnerState) -> bool:
    """Whether an operator's status shows its partner in a state."""
    async with administration(stage.operator(operator)) as oss:
        return (await oss.overview.overview()).partners[0].state is state


async def until(holds: Callable[[], Coroutine[Any, Any, bool]], patience: float = 60.0) -> float:
    """Seconds that it took to come true, 0.0 if it never did in time."""
    began = time.monotonic()
    while time.monotonic() < began + patience:
        if await holds():
            return time.monotonic() - began
        await asyncio.sleep(0.05)
    return 0.0


async def up(stage: Stage, operator: str, app_d_id: str, host: str) -> str:
    """An instance at a host, STARTED."""
    settings = stage.operator(operator)
    async with administration(settings) as oss:
        return await bring_up(oss.lifecycle, app_d_id, settings.hosts[host].zone.zone().position)


async def offers(stage: Stage, operator: str, service: str) -> bool:
    """Whether an operator's own hosts offer a service."""
    async with administration(stage.operator(operator)) as oss:
        hosts = (await oss.overview.overview()).system.hosts
        return any(service in host.services for host in hosts)


async def closed(stage: Stage, operator: str, partner: str) -> None:
    """``hanse federation close``: the agreement is ended at one operator."""
    async with administration(stage.operator(operator)) as oss:
        await oss.overview.close_agreement(partner)


async def opened(stage: Stage, operator: str, partner: str) -> None:
    """``hanse federation open``."""
    async with administration(stage.operator(operator)) as oss:
        await oss.overview.open_agreement(partner)
