"""A platform keeps its data plane as its records say, and its manager informed, whatever either of them lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from hanse.elements.mep import element
from hanse.elements.mep.sharing import reporting
from hanse.refpoints.mp2 import Forwarding, NameRecord
from tests.bounds import SOON
from tests.unit.elements.mep.parts import Bench, configuration, service


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(element, "STEER_PERIOD", 0.1)
    monkeypatch.setattr(reporting, "REPORT_PAUSE", 0.01)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def active(bench: Bench) -> None:
    await bench.platform.configuration.configure("one", configuration("one", "speech"))
    await bench.platform.configuration.activate("one")


async def test_what_a_data_plane_lost_is_put_back_and_what_is_nobodys_is_taken_out(bench: Bench) -> None:
    await active(bench)
    right, name = bench.plane.rules["one.in"], bench.names.known["one.name"]
    bench.plane.rules = {"gone.in": _of("gone", right)}
    bench.names.known = {"gone.name": _named("gone", name)}
    await bench.platform.steering.restore()
    assert bench.plane.rules == {"one.in": right}
    assert bench.names.known == {"one.name": name}


async def test_a_rule_that_was_tampered_with_is_put_right_and_a_right_one_is_left_alone(bench: Bench) -> None:
    await active(bench)
    right = bench.plane.rules["one.in"]
    bench.plane.done.clear()
    await bench.platform.steering.restore()
    assert bench.plane.done == []
    bench.plane.rules["one.in"] = _of("one", right, priority=200)
    await bench.platform.steering.restore()
    assert bench.plane.rules == {"one.in": right}


async def test_a_running_platform_puts_rules_back_by_itself_once_the_data_plane_is_there(bench: Bench) -> None:
    await active(bench)
    bench.plane.away = True
    await bench.platform.start_up()
    await asyncio.sleep(0.05)
    bench.plane.rules, bench.plane.away = {}, False
    await until(lambda: list(bench.plane.rules) == ["one.in"])
    bench.plane.rules = {}
    await until(lambda: list(bench.plane.rules) == ["one.in"])
    await bench.platform.shut_down()


async def test_the_manager_learns_what_is_offered_and_which_report_is_newer(bench: Bench) -> None:
    await active(bench)
    await bench.platform.start_up()
    await until(lambda: bool(bench.manager.reports))
    made = await bench.platform.services.register_service("one", service("speech"))
    await until(lambda: bool(bench.manager.reports[-1].services))
    [told] = bench.manager.reports[-1].services
    assert (told.ser_name, told.app_instance_id, told.tenant) == ("speech", "one", "acme")
    await bench.platform.services.deregister_service("one", str(made.value.ser_instance_id))
    await until(lambda: not bench.manager.reports[-1].services)
    await bench.platform.shut_down()
    numbers = [report.sequence for report in bench.manager.reports]
    assert numbers == sorted(set(numbers))
    assert {report.host for report in bench.manager.reports} == {"harbour"}


async def test_a_manager_that_was_away_is_told_when_it_is_back(bench: Bench) -> None:
    bench.manager.away = 2
    await bench.platform.start_up()
    async with asyncio.timeout(SOON):
        await bench.manager.news.wait()
    await bench.platform.shut_down()
    assert bench.manager.reports[-1].services == ()


async def test_changes_that_come_together_are_reported_together(bench: Bench) -> None:
    await bench.platform.configuration.configure("one", configuration("one", "a", "b", "c"))
    await bench.platform.start_up()
    await until(lambda: bool(bench.manager.reports))
    before = len(bench.manager.reports)
    await asyncio.gather(*(bench.platform.services.register_service("one", service(name)) for name in "abc"))
    await until(lambda: len(bench.manager.reports[-1].services) == 3)
    await bench.platform.shut_down()
    assert len(bench.manager.reports) - before <= 2


def _of(owner: str, like: Forwarding, priority: int = 1) -> Forwarding:
    return msgspec.structs.replace(like, owner=owner, rule_id=f"{owner}.in", priority=priority)


def _named(owner: str, like: NameRecord) -> NameRecord:
    return msgspec.structs.replace(like, owner=owner, record_id=f"{owner}.name")
