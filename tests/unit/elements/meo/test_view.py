"""A host gets a grant only for what the orchestrator itself has begun there (ETSI GS MEC 010-2 V3.1.1, 7.5)."""

from __future__ import annotations

from typing import cast

import pytest

from hanse.elements.meo.records import InstanceRecord
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT, Link
from hanse.refpoints.mm1.lifecycle import (
    InstantiateAppRequest,
    InstantiationState,
    LcmOperation,
    OperationalState,
    OperationState,
)
from hanse.refpoints.mm1.occurrence import Occurrence, begun, entered
from hanse.refpoints.mm3.granting import Granting, GrantLinks, GrantRequest, ResourceDefinition, ResourceType
from hanse.refpoints.mm3.management import SystemView
from tests.unit.elements.meo.parts import Bench
from tests.unit.elements.mepm.parts import descriptor

LIVE = begun("op", "one", LcmOperation.INSTANTIATE, InstantiateAppRequest(), "acme", "trace")
COMPUTE = ResourceDefinition(id="compute", type=ResourceType.COMPUTE, resource_template_id=("compute",))


def request(
    operation: LcmOperation = LcmOperation.INSTANTIATE, instance: str = "one", occurrence: str = "remote"
) -> GrantRequest:
    links = GrantLinks(app_lcm_op_occ=Link(href="o"), app_instance=Link(href="i"))
    return GrantRequest(
        app_instance_id=instance,
        app_lcm_op_occ_id=occurrence,
        app_d_id="d",
        operation=operation,
        links=links,
        add_resources=(COMPUTE,),
    )


def granting(bench: Bench) -> Granting:
    return cast(Granting, bench.meo.apis()[Granting])


async def going_on(bench: Bench, operation: Occurrence = LIVE, running: OperationalState | None = None) -> None:
    """An operation of the orchestrator on the instance ``one``, placed on harbour."""
    there = InstantiationState.INSTANTIATED if running else InstantiationState.NOT_INSTANTIATED
    instance = InstanceRecord(
        id="one", tenant="acme", app_pkg_id="p", descriptor=descriptor(), host="harbour", state=there, running=running
    )
    records = bench.meo.records
    await bench.store.commit(lambda tx: tx.put(records.instances, "one", instance))
    await bench.store.commit(lambda tx: tx.put(records.operations, operation.id, operation))


async def test_what_the_orchestrator_began_is_granted_on_the_host_that_it_chose(bench: Bench) -> None:
    await going_on(bench)
    granted = await granting(bench).request_grant(request())
    assert granted.value.add_resources is not ABSENT
    [resource] = granted.value.add_resources
    assert (resource.resource_definition_id, resource.vim_connection_id) == ("compute", "vim.harbour")
    assert granted.location.endswith(f"/granting/v1/grants/{granted.value.id}")
    assert await granting(bench).read_grant(granted.value.id) == granted.value


async def test_asked_again_it_is_the_same_grant(bench: Bench) -> None:
    await going_on(bench)
    first = await granting(bench).request_grant(request())
    assert await granting(bench).request_grant(request()) == first
    assert (await granting(bench).request_grant(request(occurrence="another"))).value.id != first.value.id


@pytest.mark.parametrize(
    "asked", [request(operation=LcmOperation.TERMINATE), request(instance="two")], ids=["operation", "instance"]
)
async def test_what_the_orchestrator_did_not_begin_is_not_granted(bench: Bench, asked: GrantRequest) -> None:
    await going_on(bench)
    with pytest.raises(Problem, match="goes on") as caught:
        await granting(bench).request_grant(asked)
    assert (caught.value.status, caught.value.title) == (403, "Not granted")


async def test_an_operation_that_has_ended_gets_no_grant_any_more(bench: Bench) -> None:
    await going_on(bench, entered(LIVE, OperationState.COMPLETED))
    with pytest.raises(Problem, match="Not granted"):
        await granting(bench).request_grant(request())


async def test_an_app_that_ended_by_itself_is_shown_as_stopped(bench: Bench) -> None:
    await going_on(bench, entered(LIVE, OperationState.COMPLETED), running=OperationalState.STARTED)
    view = cast(SystemView, bench.meo.apis()[SystemView])
    await view.instance_ended("one")
    await view.instance_ended("one")
    await view.instance_ended("unknown")
    assert bench.meo.records.instances.get("one").running is OperationalState.STOPPED


async def test_while_an_operation_goes_on_it_alone_says_how_the_app_is(bench: Bench) -> None:
    await going_on(bench, running=OperationalState.STARTED)
    view = cast(SystemView, bench.meo.apis()[SystemView])
    await view.instance_ended("one")
    assert bench.meo.records.instances.get("one").running is OperationalState.STARTED
