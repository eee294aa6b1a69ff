"""An instance goes to the host that suits it, step by step, and comes back whole (ETSI GS MEC 010-2 V3.1.1, 7.4)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mm1.lifecycle import (
    CreateAppInstanceRequest,
    InstantiateAppRequest,
    InstantiationState,
    Lifecycle,
    LocationConstraints,
    OperateAppRequest,
    OperationalState,
    OperationState,
    StopType,
    TerminateAppRequest,
)
from hanse.refpoints.mm1.topology import SystemTopology
from tests.unit.elements.meo.parts import Bench, tenant

FORCEFUL = TerminateAppRequest(termination_type=StopType.FORCEFUL)
STOP = OperateAppRequest(change_state_to=OperationalState.STOPPED)


@pytest.fixture
async def instance(bench: Bench, csar: Path) -> AsyncIterator[str]:
    """An instance of ``acme``, which is the caller."""
    with tenant("acme"):
        info = await bench.on_board(csar)
        wish = CreateAppInstanceRequest(app_d_id=str(info.app_d_id), app_instance_name="mine")
        yield (await bench.lifecycle.create_instance(wish)).value.id


@pytest.fixture
def acme() -> Any:
    return tenant("acme")


async def run(bench: Bench, call: Any) -> OperationState:
    with tenant("acme"):
        return (await bench.ended((await call).location)).operation_state


async def test_an_instance_is_placed_prepared_assigned_and_started_in_this_order(bench: Bench, instance: str) -> None:
    with tenant("acme"):
        begun = bench.lifecycle.instantiate(instance, InstantiateAppRequest())
        assert await run(bench, begun) is OperationState.COMPLETED
        info = await bench.lifecycle.read_instance(instance)
    host = bench.fakes["harbour"]
    assert host.calls == ["store_image", "assign", "instantiate"]
    assert bench.fakes["airport"].calls == []
    charge = host.charge[instance]
    assert (charge.tenant, list(host.images)) == ("acme", [charge.image_id])
    assert (info.instantiation_state, info.app_instance_name) == (InstantiationState.INSTANTIATED, "mine")
    assert info.links.terminate is not ABSENT
    assert info.links.instantiate is ABSENT


async def test_a_wish_for_a_place_is_kept_to(bench: Bench, instance: str) -> None:
    with tenant("acme"):
        there = InstantiateAppRequest(location_constraints=LocationConstraints(country_code="AT"))
        assert await run(bench, bench.lifecycle.instantiate(instance, there)) is OperationState.COMPLETED
    assert list(bench.fakes["airport"].charge) == [instance]


async def test_a_host_that_does_not_answer_is_passed_over(bench: Bench, instance: str) -> None:
    bench.fakes["harbour"].away = True
    with tenant("acme"):
        begun = bench.lifecycle.instantiate(instance, InstantiateAppRequest())
        assert await run(bench, begun) is OperationState.COMPLETED
    assert list(bench.fakes["airport"].charge) == [instance]


@pytest.mark.parametrize("away", [True, False])
async def test_an_instance_that_fits_nowhere_fails_with_the_reason(bench: Bench, instance: str, away: bool) -> None:
    for host in bench.fakes.values():
        host.away, host.memory = away, 1
    with tenant("acme"):
        begun = await bench.lifecycle.instantiate(instance, InstantiateAppRequest())
        operation = await bench.ended(begun.location)
    assert operation.error is not ABSENT
    assert operation.error.title == ("No host answers" if away else "No host has room")
    assert operation.operation_state is OperationState.FAILED


async def test_a_failure_on_the_host_is_told_and_the_host_keeps_nothing(bench: Bench, instance: str) -> None:
    bench.fakes["harbour"].outcome = OperationState.FAILED
    with tenant("acme"):
        begun = await bench.lifecycle.instantiate(instance, InstantiateAppRequest())
        operation = await bench.ended(begun.location)
        assert operation.error is not ABSENT
        assert (operation.error.title, operation.error.detail) == ("App ended before it was ready", "exit code 3")
        assert bench.fakes["harbour"].charge == {}
        info = await bench.lifecycle.read_instance(instance)
        assert info.instantiation_state is InstantiationState.NOT_INSTANTIATED
        bench.fakes["harbour"].outcome = OperationState.COMPLETED
        again = bench.lifecycle.instantiate(instance, InstantiateAppRequest())
        assert await run(bench, again) is OperationState.COMPLETED


async def test_a_terminated_instance_is_an_identifier_again_and_can_be_deleted(bench: Bench, instance: str) -> None:
    with tenant("acme"):
        await run(bench, bench.lifecycle.instantiate(instance, InstantiateAppRequest()))
        with pytest.raises(Problem, match="Instance is INSTANTIATED") as caught:
            await bench.lifecycle.delete_instance(instance)
        assert caught.value.status == 409
        assert await run(bench, bench.lifecycle.terminate(instance, FORCEFUL)) is OperationState.COMPLETED
        assert bench.fakes["harbour"].calls[-2:] == ["terminate", "release"]
        await bench.lifecycle.delete_instance(instance)
        assert await bench.lifecycle.list_instances() == []
        assert await bench.lifecycle.list_operations() == []


async def test_a_stopped_app_is_told_as_stopped(bench: Bench, instance: str) -> None:
    with tenant("acme"):
        await run(bench, bench.lifecycle.instantiate(instance, InstantiateAppRequest()))
        assert await run(bench, bench.lifecycle.operate(instance, STOP)) is OperationState.COMPLETED
        info = await bench.lifecycle.read_instance(instance)
        assert info.instantiated_app_state is not ABSENT
        assert info.instantiated_app_state.operational_state is OperationalState.STOPPED
        with pytest.raises(Problem, match="App is STOPPED"):
            await bench.lifecycle.operate(instance, STOP)


async def test_another_tenant_neither_sees_nor_touches_an_instance(bench: Bench, instance: str) -> None:
    with tenant("acme"):
        operation = (await bench.lifecycle.instantiate(instance, InstantiateAppRequest())).location
        await bench.ended(operation)
    lifecycle: Lifecycle = bench.lifecycle
    with tenant("other"):
        assert await lifecycle.list_instances() == []
        assert await lifecycle.list_operations() == []
        for call in (
            lifecycle.read_instance(instance),
            lifecycle.delete_instance(instance),
            lifecycle.terminate(instance, FORCEFUL),
            lifecycle.operate(instance, STOP),
            lifecycle.read_operation(operation.rsplit("/", 1)[-1]),
        ):
            with pytest.raises(Problem) as caught:
                await call
            assert caught.value.status == 404
    with tenant("*"):
        assert len(await lifecycle.list_instances()) == 1


async def test_an_instance_of_another_tenants_package_cannot_be_made(bench: Bench, instance: str) -> None:
    with tenant("*"):
        [package] = await bench.packages.list_packages()
    with tenant("other"), pytest.raises(Problem, match="No such on-boarded package") as caught:
        await bench.lifecycle.create_instance(CreateAppInstanceRequest(app_d_id=str(package.app_d_id)))
    assert caught.value.status == 404


async def test_the_whole_is_shown_with_hosts_that_do_not_answer(bench: Bench, instance: str) -> None:
    bench.fakes["airport"].away = True
    topology = bench.meo.apis()[SystemTopology]
    overview = await topology.system()  # type: ignore[attr-defined]
    assert [(host.name, host.reachable) for host in overview.hosts] == [("harbour", True), ("airport", False)]
    assert [(app.app_instance_id, app.state) for app in overview.apps] == [(instance, "NOT_INSTANTIATED")]


async def test_operations_that_ended_long_ago_and_their_grants_are_forgotten_and_the_instance_is_not(
    bench: Bench, instance: str
) -> None:
    begun = bench.lifecycle.instantiate(instance, InstantiateAppRequest())
    assert await run(bench, begun) is OperationState.COMPLETED
    kept = bench.meo.lifecycle
    assert await kept.forget_ended(time.time() - 60) == 0
    with tenant("acme"):
        assert len(await bench.lifecycle.list_operations()) == 1
    assert await kept.forget_ended(time.time() + 60) == 1
    with tenant("acme"):
        assert await bench.lifecycle.list_operations() == []
        assert (await bench.lifecycle.read_instance(instance)).instantiation_state is InstantiationState.INSTANTIATED
    assert await run(bench, bench.lifecycle.terminate(instance, FORCEFUL)) is OperationState.COMPLETED
