"""What a manager is asked twice it does once; what it cannot do it says before anything happens."""

from __future__ import annotations

import asyncio
import time

import pytest

from hanse.kit.contract.call import continuing
from hanse.kit.problems import Problem, unreachable
from hanse.kit.procedures import Steps
from hanse.refpoints.mm1.lifecycle import (
    AppLcmOpOcc,
    CreateAppInstanceRequest,
    InstantiateAppRequest,
    InstantiationState,
    OperateAppRequest,
    OperationalState,
    OperationState,
    StopType,
    TerminateAppRequest,
)
from hanse.refpoints.mm3.management import PlatformReport, ServiceWanted
from hanse.refpoints.mm6.workloads import WorkloadInfo
from tests.bounds import SOON
from tests.unit.elements.mepm.parts import Bench, assignment

FORCEFUL = TerminateAppRequest(termination_type=StopType.FORCEFUL)


async def instantiated(bench: Bench) -> None:
    await bench.ended((await bench.manager.instantiate("one", InstantiateAppRequest())).location)


async def test_the_same_key_is_the_same_operation(bench: Bench) -> None:
    with continuing(idempotency_key="key"):
        answers = [await bench.manager.instantiate("one", InstantiateAppRequest()) for _ in range(3)]
    assert len({answer.location for answer in answers}) == 1
    await bench.ended(answers[0].location)
    with continuing(idempotency_key="key"):
        late = await bench.manager.instantiate("one", InstantiateAppRequest())
    assert late == answers[0]
    assert bench.log.calls.count("start") == 1
    assert len(await bench.manager.list_operations()) == 1


async def test_a_second_operation_on_an_instance_waits_its_turn(bench: Bench) -> None:
    bench.mep.ready = False
    first = await bench.manager.instantiate("one", InstantiateAppRequest())
    with pytest.raises(Problem, match="Another operation goes on") as caught:
        await bench.manager.instantiate("one", InstantiateAppRequest())
    assert caught.value.status == 409
    await bench.ended(first.location)


async def test_an_operation_that_does_not_fit_the_state_is_refused(bench: Bench) -> None:
    stop = OperateAppRequest(change_state_to=OperationalState.STOPPED)
    for call in (bench.manager.terminate("one", FORCEFUL), bench.manager.operate("one", stop)):
        with pytest.raises(Problem, match="Instance is NOT_INSTANTIATED") as caught:
            await call
        assert caught.value.status == 409
    await instantiated(bench)
    start = OperateAppRequest(change_state_to=OperationalState.STARTED)
    with pytest.raises(Problem, match="App is STARTED"):
        await bench.manager.operate("one", start)
    with pytest.raises(Problem, match="Instance is INSTANTIATED"):
        await bench.manager.instantiate("one", InstantiateAppRequest())


async def test_an_instance_in_charge_is_not_assigned_anew_and_an_unknown_one_is_not_found(bench: Bench) -> None:
    await instantiated(bench)
    await bench.manager.assign("one", assignment())
    assert (await bench.manager.read_instance("one")).instantiation_state is InstantiationState.INSTANTIATED
    with pytest.raises(Problem) as caught:
        await bench.manager.instantiate("two", InstantiateAppRequest())
    assert caught.value.status == 404


async def test_an_end_that_the_orchestrator_has_not_heard_is_remembered_until_it_has(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(_operation: AppLcmOpOcc) -> None:
        raise unreachable("meo", "it does not answer")

    later = time.time() + 60
    with monkeypatch.context() as patched:
        patched.setattr(bench.orchestrator, "operation_changed", deaf)
        location = (await bench.manager.instantiate("one", InstantiateAppRequest())).location
        async with asyncio.timeout(SOON):
            while (await bench.manager.list_operations())[0].operation_state is OperationState.PROCESSING:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert await bench.manager.forget_ended(later) == 0
    await bench.ended(location)
    assert await bench.manager.forget_ended(time.time() - 60) == 0, "that is too young"
    async with asyncio.timeout(SOON):
        while await bench.manager.forget_ended(later) == 0:  # noqa: ASYNC110 (the event leaves the disk a moment later)
            await asyncio.sleep(0.005)
    assert await bench.manager.list_operations() == []
    assert (await bench.manager.read_instance("one")).instantiation_state is InstantiationState.INSTANTIATED


async def test_an_instance_with_resources_is_not_forgotten(bench: Bench) -> None:
    await instantiated(bench)
    with pytest.raises(Problem, match="Instance has resources") as caught:
        await bench.manager.release("one")
    assert caught.value.status == 409
    await bench.ended((await bench.manager.terminate("one", FORCEFUL)).location)
    await bench.manager.release("one")
    await bench.manager.release("one")
    assert await bench.manager.list_instances() == []
    assert await bench.manager.list_operations() == []


async def test_instances_come_and_go_by_assignment_only(bench: Bench) -> None:
    for call in (
        bench.manager.create_instance(CreateAppInstanceRequest(app_d_id="d")),
        bench.manager.delete_instance("one"),
    ):
        with pytest.raises(Problem) as caught:
            await call
        assert (caught.value.status, caught.value.headers) == (405, {"Allow": "GET, HEAD"})


async def test_an_instance_is_told_as_it_is(bench: Bench) -> None:
    before = await bench.manager.read_instance("one")
    assert (before.app_name, before.instantiation_state) == ("app", InstantiationState.NOT_INSTANTIATED)
    await instantiated(bench)
    [after] = await bench.manager.list_instances()
    assert after.links.self.href.endswith("/app_lcm/v1/app_instances/one")
    assert getattr(after.instantiated_app_state, "operational_state", None) is OperationalState.STARTED


async def test_questions_and_reports_of_the_platform_go_up(bench: Bench) -> None:
    report = PlatformReport(host="harbour", sequence=1, services=())
    await bench.manager.report_services("harbour", report)
    assert bench.orchestrator.reports == [report]
    assert await bench.manager.find_service(ServiceWanted(ser_name=("speech",))) == []
    assert bench.log.calls == ["find_service"]


async def test_an_app_that_ended_by_itself_is_stopped_and_the_orchestrator_knows(bench: Bench) -> None:
    await instantiated(bench)
    bench.log.calls.clear()
    bench.vim.exited(3, "boom")
    for _ in range(2):
        await bench.manager.workload_ended(bench.vim.info)
    async with asyncio.timeout(SOON):
        while bench.orchestrator.ended != ["one"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert bench.log.calls == ["deactivate"]
    state = (await bench.manager.read_instance("one")).instantiated_app_state
    assert getattr(state, "operational_state", None) is OperationalState.STOPPED


async def test_an_app_that_ends_at_the_very_end_of_its_instantiation_is_not_started_for_ever(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def activate(_: str) -> None:
        reached.set()
        await go_on.wait()

    monkeypatch.setattr(bench.mep, "activate", activate)
    location = (await bench.manager.instantiate("one", InstantiateAppRequest())).location
    await asyncio.wait_for(reached.wait(), SOON)
    bench.vim.exited(3, "boom")
    with pytest.raises(Problem, match="Operation goes on") as caught:
        await bench.manager.workload_ended(bench.vim.info)
    assert (caught.value.status, caught.value.headers) == (503, {"Retry-After": "1"})
    go_on.set()
    await bench.ended(location)
    await bench.manager.workload_ended(bench.vim.info)
    async with asyncio.timeout(SOON):
        while bench.orchestrator.ended != ["one"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    state = (await bench.manager.read_instance("one")).instantiated_app_state
    assert getattr(state, "operational_state", None) is OperationalState.STOPPED


async def test_what_an_app_left_that_ended_is_settled_by_the_newest_release_of_the_procedure(bench: Bench) -> None:
    settled = asyncio.Event()

    async def newest(_: Steps, subject: str) -> None:
        assert subject == "one"
        settled.set()

    bench.procedures.register("mepm.harbour.lost", newest, version=2)
    await instantiated(bench)
    bench.vim.exited(3, "boom")
    await bench.manager.workload_ended(bench.vim.info)
    await asyncio.wait_for(settled.wait(), SOON)


async def test_an_exit_of_what_nobody_knows_is_no_news(bench: Bench) -> None:
    unknown: WorkloadInfo = bench.vim.info
    await bench.manager.workload_ended(unknown)
    await asyncio.sleep(0.02)
    assert bench.orchestrator.ended == []


async def test_the_end_of_an_operation_is_told_however_late_the_orchestrator_is_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.outbox, "_give_up_after", 0.0)  # what everything else is given up after
    heard, troubles = bench.orchestrator.operation_changed, [unreachable("meo")] * 2

    async def away(operation: AppLcmOpOcc) -> None:
        if troubles:
            raise troubles.pop()
        await heard(operation)

    monkeypatch.setattr(bench.orchestrator, "operation_changed", away)
    await instantiated(bench)
    assert troubles == []
