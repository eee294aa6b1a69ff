"""A service that is silent is nobody's any more until it is heard again (ETSI GS MEC 011 V3.1.1, 8.2.10)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hanse.elements.mep.service_management.liveness import LivenessPolicy
from hanse.kit.problems import Problem
from hanse.kit.store import Store
from hanse.kit.store_file import Rows
from hanse.kit.values import ABSENT
from hanse.refpoints.mp1.liveness import ServiceLivenessUpdate, ServiceState
from hanse.refpoints.mp1.services import (
    AVAILABILITY_SUBSCRIPTION,
    AvailabilitySubscription,
    ServiceInfo,
    ServiceQuery,
)
from tests.bounds import SOON
from tests.unit.elements.mep.parts import Bench, app, configuration, service

BEAT = ServiceLivenessUpdate(state=ServiceState.ACTIVE)


async def registered(bench: Bench, **more: Any) -> ServiceInfo:
    await bench.platform.configuration.configure("one", configuration("one", "speech"))
    wanted = msgspec.structs.replace(service("speech"), **{"liveness_interval": 0} | more)
    return (await bench.platform.services.register_service("one", wanted)).value


async def beat(bench: Bench, known: ServiceInfo) -> Any:
    return await bench.platform.liveness.send_heartbeat("one", str(known.ser_instance_id), BEAT)


async def silent(bench: Bench, known: ServiceInfo) -> None:
    """As after all the intervals that a platform waits."""
    bench.platform.liveness._timer.forget(str(known.ser_instance_id))
    await bench.platform.liveness._suspend([str(known.ser_instance_id)])


async def state(bench: Bench, known: ServiceInfo) -> ServiceState:
    return (await bench.platform.services.read_service(str(known.ser_instance_id))).value.state


async def discovered(bench: Bench) -> list[str]:
    return [s.ser_name for s in await bench.platform.services.find_services(ServiceQuery(ser_name=("speech",)))]


@pytest.mark.parametrize(
    ("proposed", "agreed"), [(ABSENT, ABSENT), (0, 30), (5, 5), (1, 2), (10_000, 100), (2, 2), (100, 100)]
)
def test_the_platform_decides_the_interval_within_its_bounds(proposed: Any, agreed: Any) -> None:
    assert LivenessPolicy(interval=30, shortest=2, longest=100).agreed(proposed) == agreed


@pytest.mark.parametrize("proposed", [ABSENT, 0, 5])
def test_a_platform_that_wants_no_heartbeats_asks_for_none(proposed: Any) -> None:
    assert LivenessPolicy(interval=0).agreed(proposed) is ABSENT


async def test_a_producer_that_sends_no_heartbeats_is_never_expected_to(bench: Bench) -> None:
    known = await registered(bench, liveness_interval=ABSENT)
    assert known.links is not ABSENT
    assert (known.liveness_interval, known.links.liveness) == (ABSENT, ABSENT)
    assert not bench.platform.liveness._timer.expects(str(known.ser_instance_id))
    with pytest.raises(Problem) as caught:
        await beat(bench, known)
    assert caught.value.status == 404


async def test_a_silent_service_is_not_discovered_and_one_heard_again_is(bench: Bench) -> None:
    known = await registered(bench)
    assert await discovered(bench) == ["speech"]
    await silent(bench, known)
    assert (await discovered(bench), await state(bench, known)) == ([], ServiceState.SUSPENDED)
    own = await bench.platform.services.find_app_services("one", ServiceQuery())
    assert [s.state for s in own] == [ServiceState.SUSPENDED]
    assert await beat(bench, known) is None
    assert (await discovered(bench), await state(bench, known)) == (["speech"], ServiceState.ACTIVE)


async def test_subscribers_are_told_of_silence_and_of_its_end_and_not_of_heartbeats(bench: Bench) -> None:
    known = await registered(bench)
    await bench.platform.configuration.configure("two", configuration("two"))
    wish = AvailabilitySubscription(subscription_type=AVAILABILITY_SUBSCRIPTION, callback_reference="http://two/n")
    await bench.platform.services.subscribe_to_availability("two", wish)
    await beat(bench, known)
    await silent(bench, known)
    await silent(bench, known)
    await beat(bench, known)
    await beat(bench, known)
    told = [told["serviceReferences"][0] for _, told in await bench.posted()]
    assert [(one["changeType"], one["state"]) for one in told] == [
        ("STATE_CHANGED", "SUSPENDED"),
        ("STATE_CHANGED", "ACTIVE"),
    ]


async def test_who_was_heard_at_the_last_moment_is_not_suspended(bench: Bench) -> None:
    known = await registered(bench)
    await beat(bench, known)
    await bench.platform.liveness._suspend([str(known.ser_instance_id)])  # decided just before the heartbeat came
    assert await state(bench, known) is ServiceState.ACTIVE


async def test_a_heartbeat_does_not_make_active_what_its_producer_has_inactive(bench: Bench) -> None:
    known = await registered(bench)
    identifier = str(known.ser_instance_id)
    quiet = msgspec.structs.replace(known, state=ServiceState.INACTIVE)
    await bench.platform.services.replace_service("one", identifier, quiet)
    assert not bench.platform.liveness._timer.expects(identifier)
    with pytest.raises(Problem, match="INACTIVE") as caught:
        await beat(bench, known)
    assert caught.value.status == 409
    await silent(bench, known)
    assert await state(bench, known) is ServiceState.INACTIVE
    await bench.platform.services.replace_service("one", identifier, known)
    assert bench.platform.liveness._timer.expects(identifier)
    assert await beat(bench, known) is None


@pytest.mark.parametrize("said", [ServiceState.INACTIVE, ServiceState.SUSPENDED])
async def test_a_heartbeat_says_nothing_but_that_a_service_is_alive(bench: Bench, said: ServiceState) -> None:
    known = await registered(bench)
    with pytest.raises(Problem, match="state") as caught:
        await bench.platform.liveness.send_heartbeat(
            "one", str(known.ser_instance_id), ServiceLivenessUpdate(state=said)
        )
    assert caught.value.status == 400


async def test_the_last_heartbeat_can_be_read_and_conditions_hold(bench: Bench) -> None:
    known = await registered(bench)
    identifier, liveness = str(known.ser_instance_id), bench.platform.liveness
    first = await liveness.read_liveness("one", identifier)
    await asyncio.sleep(0.01)
    await beat(bench, known)
    second = await liveness.read_liveness("one", identifier)
    assert (second.value.state, second.value.interval) == (ServiceState.ACTIVE, known.liveness_interval)
    stamps = [(t.value.time_stamp.seconds, t.value.time_stamp.nano_seconds) for t in (first, second)]
    assert stamps[0] < stamps[1]
    assert first.tag != second.tag
    with app("one", if_match=f'"{first.tag}"'), pytest.raises(Problem) as caught:
        await beat(bench, known)
    assert caught.value.status == 412
    with app("one", if_match=f'"{second.tag}"'):
        await beat(bench, known)


async def test_a_replacement_without_interval_ends_heartbeats_and_one_with_it_begins_them(bench: Bench) -> None:
    known = await registered(bench)
    identifier, services = str(known.ser_instance_id), bench.platform.services
    without = msgspec.structs.replace(known, liveness_interval=ABSENT)
    replaced = (await services.replace_service("one", identifier, without)).value
    assert replaced.links is not ABSENT
    assert replaced.links.liveness is ABSENT
    assert len(bench.platform.records.heartbeats) == 0
    assert not bench.platform.liveness._timer.expects(identifier)
    again = (
        await services.replace_service("one", identifier, msgspec.structs.replace(known, liveness_interval=7))
    ).value
    assert again.liveness_interval == 7
    assert bench.platform.liveness._timer.expects(identifier)


async def test_nothing_is_left_of_a_withdrawn_service(bench: Bench) -> None:
    known = await registered(bench)
    await bench.platform.services.deregister_service("one", str(known.ser_instance_id))
    assert len(bench.platform.records.heartbeats) == 0
    assert not bench.platform.liveness._timer.expects(str(known.ser_instance_id))
    await silent(bench, known)
    with pytest.raises(Problem) as caught:
        await beat(bench, known)
    assert caught.value.status == 404


async def test_after_a_restart_a_service_is_still_expected_to_be_heard_of(tmp_path: Path) -> None:
    before = Bench(store=Store(tmp_path / "mep.sqlite"))
    before.platform.liveness.policy = LivenessPolicy(interval=1, misses=1)
    known = await registered(before)
    heard = await before.platform.liveness.read_liveness("one", str(known.ser_instance_id))
    before.store.close()
    again = Bench(store=Store(tmp_path / "mep.sqlite"))
    again.platform.liveness.policy = LivenessPolicy(interval=1, misses=1)
    assert await again.platform.liveness.read_liveness("one", str(known.ser_instance_id)) == heard
    watching = asyncio.create_task(again.platform.liveness.watch())
    assert await discovered(again) == ["speech"], "it has its whole patience again"
    async with asyncio.timeout(SOON):
        while await state(again, known) is ServiceState.ACTIVE:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await discovered(again) == []
    watching.cancel()
    again.store.close()


async def test_an_interval_that_a_new_policy_forbids_is_changed_with_the_next_heartbeat(bench: Bench) -> None:
    known = await registered(bench, liveness_interval=5)
    bench.platform.liveness.policy = LivenessPolicy(shortest=20)
    told = await beat(bench, known)
    assert (told.value.state, told.value.interval) == (ServiceState.ACTIVE, 20)
    alive = await bench.platform.liveness.read_liveness("one", str(known.ser_instance_id))
    assert told == alive, "with that tag it may be changed again"
    assert (await bench.platform.services.read_service(str(known.ser_instance_id))).value.liveness_interval == 20
    assert await beat(bench, known) is None


async def test_a_disk_that_is_full_for_a_while_only_delays_a_suspension(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await registered(bench)
    monkeypatch.setattr("hanse.elements.mep.service_management.liveness.AGAIN", 0.02)
    write, failures = bench.store._file.write, [True]

    def full(rows: Rows) -> None:
        if failures:
            failures.pop()
            raise OSError(28, "No space left on device")
        write(rows)

    monkeypatch.setattr(bench.store._file, "write", full)
    await silent(bench, known)
    assert await state(bench, known) is ServiceState.ACTIVE
    await asyncio.sleep(0.03)
    assert bench.platform.liveness._timer.due() == [str(known.ser_instance_id)]
    await silent(bench, known)
    assert await state(bench, known) is ServiceState.SUSPENDED


async def test_a_heartbeat_that_the_disk_refuses_keeps_nothing_alive(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await registered(bench)
    identifier, timer = str(known.ser_instance_id), bench.platform.liveness._timer
    timer.forget(identifier)
    with monkeypatch.context() as patch:
        patch.setattr(bench.store._file, "write", _full)
        with pytest.raises(Problem) as caught:
            await beat(bench, known)
    assert caught.value.status == 507
    assert not timer.expects(identifier)
    await bench.platform.liveness._suspend([identifier])
    assert await state(bench, known) is ServiceState.SUSPENDED


async def test_who_is_heard_while_its_heartbeat_is_on_its_way_to_the_disk_is_not_suspended(bench: Bench) -> None:
    known = await registered(bench)
    bench.platform.liveness._timer.forget(str(known.ser_instance_id))
    heard = asyncio.create_task(beat(bench, known))
    await asyncio.sleep(0)  # decided, and not yet on the disk
    assert not heard.done()
    await bench.platform.liveness._suspend([str(known.ser_instance_id)])
    await heard
    assert await state(bench, known) is ServiceState.ACTIVE
    assert bench.platform.liveness._timer.expects(str(known.ser_instance_id))


def _full(_rows: Rows) -> None:
    raise OSError(28, "No space left on device")
