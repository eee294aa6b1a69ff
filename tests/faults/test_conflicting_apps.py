"""Two apps that want the same devices: the later one is refused with the reason, or gives way, as the policy says."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hanse.assembly.administration import administration
from hanse.assembly.onboarding import bring_up, take_down
from hanse.elements.mep.records import AppRecord
from hanse.kit.problems import Problem
from tests.faults.held_up import held_up
from tests.faults.operators import CONFIGURATION, LoneOperator
from tests.faults.records import rows

EARLIER = CONFIGURATION.replace('memory = "4 GiB"', 'memory = "4 GiB"\nconflicts = "earlier"')

pytestmark = pytest.mark.timeout(120)


async def test_an_app_that_wants_the_devices_of_another_fails_with_the_reason_and_nothing_of_it_is_left(
    operator: LoneOperator,
) -> None:
    first, second = [await operator.on_board("beacon", variant) for variant in ("", "-rival")]
    async with administration(operator.settings) as oss:
        running = await bring_up(oss.lifecycle, first)
        apps, directories = operator.apps(), sorted(operator.instances.glob("*"))
        with pytest.raises(Problem) as failed:
            await bring_up(oss.lifecycle, second)
        assert failed.value.status == 409
        assert "conflicts with" in failed.value.title
        assert "priority" in failed.value.detail
        assert operator.apps() == apps
        assert sorted(operator.instances.glob("*")) == directories
        assert [info.id for info in await oss.lifecycle.list_instances()] == [running]
        await take_down(oss.lifecycle, running)
        await take_down(oss.lifecycle, await bring_up(oss.lifecycle, second))
    assert operator.apps() == []


async def test_where_the_earlier_keeps_its_devices_the_later_runs_behind_it_and_reads_that_over_mp1(
    tmp_path: Path,
) -> None:
    lone = LoneOperator(tmp_path, EARLIER)
    try:
        await lone.start()
        first, second = [await lone.on_board("beacon", variant) for variant in ("", "-rival")]
        async with administration(lone.settings) as oss:
            earlier = await bring_up(oss.lifecycle, first)
            known = set(lone.apps())
            later = await bring_up(oss.lifecycle, second)
            assert [_priority(lone, identifier) for identifier in (earlier, later)] == [10, 11]
            with held_up(set(lone.apps()) - known):
                assert await _answers(lone)
            await take_down(oss.lifecycle, earlier)
            assert await _answers(lone)
            await take_down(oss.lifecycle, later)
    finally:
        lone.clear()


def _priority(operator: LoneOperator, identifier: str) -> int:
    """That of the app's rule, as its platform keeps it and tells it over Mp1."""
    file = operator.settings.directory / "mep.harbour.sqlite"
    ((body,),) = rows(file, "SELECT body FROM application WHERE key = ?", identifier)
    return msgspec.json.decode(body, type=AppRecord).traffic_rules[0].priority


async def _answers(operator: LoneOperator) -> bool:
    """Whether alice is answered where both apps want her."""
    return (await operator.alice().request("GET", "http://navigation.example.com:8080/healthz")).status == 200
