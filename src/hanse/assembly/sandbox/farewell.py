"""Farewell: a sandbox that ends stops its apps as the standard has it (ETSI GS MEC 011 V3.1.1, 5.2.3)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from hanse.elements.mep import Platform
from hanse.refpoints.mm5.platform import AppPhase, GracefulEnd, PlatformConfiguration, StandingQuery
from hanse.refpoints.mp1.support import OperationAction


async def say_farewell(platform: Platform, apps: Iterable[str], grace: int) -> None:
    """Tell each app that subscribed to its end that it will be stopped; return when all have confirmed.

    At most ``grace`` seconds go by; with 0 nobody is told. What was stopped can be started again over the same home.
    """
    if grace <= 0:
        return
    mm5 = platform.configuration
    told = [app for app in apps if (await mm5.standing(app, StandingQuery())).listens]
    for app in told:
        await mm5.announce_end(app, GracefulEnd(action=OperationAction.STOPPING, timeout=grace))
    deadline = time.monotonic() + grace
    await asyncio.gather(*(_confirmed(mm5, app, deadline) for app in told))
    for app in told:
        await mm5.deactivate(app)


async def _confirmed(mm5: PlatformConfiguration, app: str, deadline: float) -> None:
    while (left := deadline - time.monotonic()) > 0:
        standing = await mm5.standing(app, StandingQuery(phase=AppPhase.CONFIRMED, wait=left))
        if standing.phase is AppPhase.CONFIRMED:
            return
