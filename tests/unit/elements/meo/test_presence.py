"""What a platform reported is offered to nobody once it is silent, and again when it is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hanse.elements.meo import presence
from hanse.elements.meo.presence import Presence
from hanse.refpoints.mm1.topology import SystemTopology
from hanse.refpoints.mm3.management import REPORT_PERIOD
from tests.bounds import SOON
from tests.passing import Passing
from tests.unit.elements.meo.parts import Bench, offered
from tests.unit.elements.meo.test_federation import SPEECH, report, view

PATIENCE = 60.0
"""Seconds, which pass only when a test lets them."""


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_who_reports_in_time_is_never_silent_and_who_stops_is_told_once() -> None:
    changes: list[str] = []
    clock, heard = Passing(), Presence(lambda: changes.append("changed"), PATIENCE)
    heard.watch(["harbour", "airport"])
    for _ in range(6):
        await clock.advance(PATIENCE / 4)
        heard.hear("harbour")
    assert (heard.silent("harbour"), heard.silent("airport")) == (False, True)
    assert changes == ["changed"]
    heard.hear("airport")
    assert not heard.silent("airport")
    assert changes == ["changed", "changed"]
    heard.close()
    await clock.advance(PATIENCE * 2)
    assert not heard.silent("harbour")


async def test_services_of_a_silent_platform_are_neither_found_nor_registered_nor_shown(bench: Bench) -> None:
    clock, bench.meo._presence._patience = Passing(), PATIENCE
    await bench.meo.start_up()
    await report(bench, "airport", 1, offered("speech"))
    assert len(await view(bench).find_service(SPEECH)) == 1
    await until(lambda: bool(bench.federation.resources and bench.federation.resources[-1][1].services))
    await clock.advance(PATIENCE)
    assert await view(bench).find_service(SPEECH) == []
    await until(lambda: bench.federation.resources[-1][1].services == ())
    topology = bench.meo.apis()[SystemTopology]
    assert isinstance(topology, SystemTopology)
    hosts = {host.name: host.services for host in (await topology.system()).hosts}
    assert hosts["airport"] == ()
    await report(bench, "airport", 1, offered("speech"))  # the same report is a sign of life
    assert len(await view(bench).find_service(SPEECH)) == 1
    await until(lambda: bool(bench.federation.resources[-1][1].services))
    await bench.meo.shut_down()


def test_a_platform_may_miss_two_reports_before_it_counts_as_gone() -> None:
    assert presence.SILENCE > 3 * REPORT_PERIOD
