"""Operations follow the order of the standard, and one that fails leaves nothing (MEC 010-2, 5.3; MEC 011, 5.2)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from hanse.kit.values import ABSENT
from hanse.refpoints.mm1.lifecycle import (
    AppLcmOpOcc,
    InstantiateAppRequest,
    InstantiationState,
    OperateAppRequest,
    OperationalState,
    OperationState,
    StopType,
    TerminateAppRequest,
)
from hanse.refpoints.mm5.platform import ConflictPolicy
from tests.bounds import SOON
from tests.unit.elements.mepm.parts import Bench, assignment, denied

INSTANTIATE = ["grant", "allocate", "allocate", "configure", "allocate", "configure", "start", "activate"]
STARTED, STOPPED = OperationalState.STARTED, OperationalState.STOPPED


async def instantiate(bench: Bench) -> AppLcmOpOcc:
    return await bench.ended((await bench.manager.instantiate("one", InstantiateAppRequest())).location)


async def terminate(bench: Bench, timeout: int = 0) -> AppLcmOpOcc:
    """Forcefully, or gracefully with a timeout."""
    kind = StopType.GRACEFUL if timeout else StopType.FORCEFUL
    request = TerminateAppRequest(termination_type=kind, graceful_termination_timeout=timeout or ABSENT)
    bench.log.calls.clear()
    return await bench.ended((await bench.manager.terminate("one", request)).location)


async def operate(bench: Bench, state: OperationalState, **more: Any) -> AppLcmOpOcc:
    request = OperateAppRequest(change_state_to=state, **more)
    bench.log.calls.clear()
    return await bench.ended((await bench.manager.operate("one", request)).location)


def error(operation: AppLcmOpOcc) -> str:
    assert operation.operation_state is OperationState.FAILED
    assert operation.error is not ABSENT
    return f"{operation.error.title}: {operation.error.detail}"


async def test_an_app_runs_after_grant_resources_and_configuration_and_only_then_its_rules(bench: Bench) -> None:
    assert (await instantiate(bench)).operation_state is OperationState.COMPLETED
    assert bench.log.calls == INSTANTIATE
    assert bench.procedures.ran[-1] == "instantiated"
    assert bench.orchestrator.requests[0].add_resources is not ABSENT
    assert bench.orchestrator.requests[0].remove_resources is ABSENT
    assert bench.vim.launched[0].environment["MEC_CLIENT_SECRET"] == "s"


async def test_without_a_grant_nothing_is_touched(bench: Bench) -> None:
    bench.refuse("grant", denied())
    assert "Not granted" in error(await instantiate(bench))
    assert bench.log.calls == ["grant"]


@pytest.mark.parametrize(
    ("refused", "undone"),
    [
        ("allocate", ["release"]),
        ("configure", ["forget", "release"]),
        ("start", ["forget", "release"]),
        ("activate", ["forget", "release"]),
    ],
)
async def test_what_was_done_is_undone_in_reverse_when_a_step_fails(
    bench: Bench, refused: str, undone: list[str]
) -> None:
    bench.refuse(refused)
    assert error(await instantiate(bench)) == f"{refused} refused: no room"
    after = bench.log.calls[bench.log.calls.index(refused) + 1 :]
    assert [call for call in after if call in ("forget", "release")] == undone
    info = await bench.manager.read_instance("one")
    assert info.instantiation_state is InstantiationState.NOT_INSTANTIATED


@pytest.mark.parametrize("policy", list(ConflictPolicy))
async def test_the_platform_is_told_how_conflicts_between_rules_are_settled(policy: ConflictPolicy) -> None:
    bench = Bench(conflicts=policy)
    await bench.outbox.start()
    await bench.manager.assign("one", assignment())
    await instantiate(bench)
    assert set(bench.mep.conflicts) == {policy}
    await bench.outbox.close()
    bench.store.close()


async def test_after_a_failure_the_instance_can_be_instantiated_again(bench: Bench) -> None:
    bench.refuse("start")
    await instantiate(bench)
    bench.log.refuses.clear()
    assert (await instantiate(bench)).operation_state is OperationState.COMPLETED


async def test_an_app_that_ends_before_it_is_ready_tells_its_last_words(bench: Bench) -> None:
    bench.mep.ready = False
    bench.vim.exited(3, "importing\nModuleNotFoundError: No module named 'numpy'\n")
    told = error(await instantiate(bench))
    assert told.startswith("App ended before it was ready: exit code 3")
    assert "No module named 'numpy'" in told
    assert bench.log.calls[-2:] == ["forget", "release"]


async def test_an_app_that_says_nothing_fails_after_its_time(bench: Bench) -> None:
    bench.mep.ready = False
    assert "never confirmed" in error(await instantiate(bench))
    assert "activate" not in bench.log.calls


async def test_a_forceful_end_asks_the_app_nothing(bench: Bench) -> None:
    await instantiate(bench)
    assert (await terminate(bench)).operation_state is OperationState.COMPLETED
    assert bench.log.calls == ["grant", "deactivate", "release", "forget"]
    assert bench.orchestrator.requests[-1].remove_resources is not ABSENT


async def test_a_graceful_end_waits_for_the_app_and_not_longer(bench: Bench) -> None:
    await instantiate(bench)
    began = time.monotonic()
    assert (await terminate(bench, timeout=60)).operation_state is OperationState.COMPLETED
    assert bench.log.calls == ["grant", "announce", "deactivate", "release", "forget"]
    assert bench.mep.ends[0].timeout == 60
    assert time.monotonic() - began < SOON


async def test_an_app_that_never_confirms_is_ended_when_its_time_is_over(bench: Bench) -> None:
    await instantiate(bench)
    bench.mep.confirms = False
    began = time.monotonic()
    assert (await terminate(bench, timeout=1)).operation_state is OperationState.COMPLETED
    assert 0.9 < time.monotonic() - began < SOON
    assert bench.log.calls[-2:] == ["release", "forget"]


async def test_nobody_waits_for_an_app_that_does_not_listen_or_has_ended(bench: Bench) -> None:
    await instantiate(bench)
    bench.mep.listens = False
    began = time.monotonic()
    await terminate(bench, timeout=60)
    assert "announce" not in bench.log.calls
    bench.mep.listens, bench.mep.confirms = True, False
    await instantiate(bench)
    bench.vim.exited(0, "")
    await terminate(bench, timeout=60)
    assert time.monotonic() - began < SOON


async def test_an_app_that_the_platform_does_not_know_any_more_can_still_be_terminated(bench: Bench) -> None:
    await instantiate(bench)
    bench.mep.phase = None
    assert (await terminate(bench, timeout=60)).operation_state is OperationState.COMPLETED


async def test_an_app_is_stopped_with_its_resources_kept_and_started_again(bench: Bench) -> None:
    await instantiate(bench)
    stopped = await operate(bench, STOPPED, stop_type=StopType.GRACEFUL, graceful_stop_timeout=9)
    assert stopped.operation_state is OperationState.COMPLETED
    assert bench.log.calls == ["grant", "announce", "deactivate", "stop"]
    assert (bench.mep.ends[-1].action, bench.mep.ends[-1].timeout) == ("STOPPING", 9)
    assert (await operate(bench, STARTED)).operation_state is OperationState.COMPLETED
    assert bench.log.calls == ["grant", "allocate", "configure", "start", "activate"]


async def test_the_orchestrator_is_told_how_each_operation_ended(bench: Bench) -> None:
    await instantiate(bench)
    bench.refuse("release")
    failed = await terminate(bench)
    assert [o.operation_state for o in bench.orchestrator.told] == [OperationState.COMPLETED, OperationState.FAILED]
    assert bench.orchestrator.told[-1] == failed
    assert (await bench.manager.read_instance("one")).instantiation_state is InstantiationState.INSTANTIATED
