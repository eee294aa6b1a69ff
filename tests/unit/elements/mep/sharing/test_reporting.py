"""The manager hears of services when they change, and at other times that the platform lives, which costs nothing."""

from __future__ import annotations

import asyncio

import pytest

from hanse.elements.mep.records import ServiceRecord
from hanse.elements.mep.sharing import reporting
from hanse.elements.mep.sharing.reporting import Reporter
from hanse.refpoints.mm3.management import OfferedService
from tests.bounds import SOON
from tests.unit.elements.mep.parts import Bench, app, configuration, service


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Services of which it was worked out how they are reported."""
    found, offered = list[str](), Reporter._offered

    def counted(self: Reporter, record: ServiceRecord) -> OfferedService:
        found.append(record.service.ser_name)
        return offered(self, record)

    monkeypatch.setattr(Reporter, "_offered", counted)
    monkeypatch.setattr(reporting, "REPORT_PERIOD", 0.05)
    monkeypatch.setattr(reporting, "REPORT_PAUSE", 0.01)
    return found


async def _reports(bench: Bench, more: int) -> None:
    wanted = len(bench.manager.reports) + more
    async with asyncio.timeout(SOON):
        while len(bench.manager.reports) < wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_signs_of_life_say_the_same_again_and_work_nothing_out(bench: Bench, worked_out: list[str]) -> None:
    await bench.platform.configuration.configure("one", configuration("one", "speech"))
    await bench.platform.configuration.activate("one")
    await bench.platform.start_up()
    with app("one"):
        await bench.platform.services.register_service("one", service("speech"))
    await _reports(bench, 2)
    worked_out.clear()
    await _reports(bench, 4)
    assert worked_out == []
    assert [s.ser_name for s in bench.manager.reports[-1].services] == ["speech"]
    assert len({report.sequence for report in bench.manager.reports[-4:]}) == 1
    await bench.platform.shut_down()


async def test_what_the_manager_did_not_take_is_reported_as_it_is_by_then(bench: Bench, worked_out: list[str]) -> None:
    await bench.platform.configuration.configure("one", configuration("one", "speech"))
    await bench.platform.configuration.activate("one")
    bench.manager.away = 2
    await bench.platform.start_up()
    with app("one"):
        await bench.platform.services.register_service("one", service("speech"))
    await _reports(bench, 2)
    assert [s.ser_name for s in bench.manager.reports[-1].services] == ["speech"]
    await bench.platform.shut_down()
