"""What a host tells of its operations reaches the procedure that waits, whichever comes first."""

from __future__ import annotations

import asyncio
import time

import pytest

from hanse.elements.meo import news
from hanse.elements.meo.news import HostNews
from hanse.refpoints.mm1.lifecycle import AppLcmOpOcc, LcmOperation
from hanse.refpoints.mm1.occurrence import begun, represent

PATIENCE = 60.0


def operation(identifier: str) -> AppLcmOpOcc:
    return represent(begun(identifier, "one", LcmOperation.OPERATE, None, "acme", ""), "/app_lcm/v1")


async def test_news_that_came_before_anybody_waited_is_not_lost() -> None:
    told = HostNews()
    news_of_a = operation("a")
    await told.tell(news_of_a)
    assert await told.of("a", PATIENCE) is news_of_a
    assert await told.of("a", 0.01) is None, "it is taken once"


async def test_whoever_waits_hears_at_once_and_only_of_its_own_operation() -> None:
    told = HostNews()
    began = time.monotonic()
    waits = asyncio.create_task(told.of("a", PATIENCE))
    await asyncio.sleep(0)
    await told.tell(operation("b"))
    await told.tell(operation("a"))
    heard = await waits
    assert heard is not None
    assert heard.id == "a"
    assert time.monotonic() - began < PATIENCE / 2


async def test_news_that_nobody_asks_for_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "MOST_TOLD", 2)
    told = HostNews()
    for identifier in ("a", "b", "c"):
        await told.tell(operation(identifier))
    assert await told.of("a", 0.01) is None
    assert await told.of("c", 0.01) is not None
