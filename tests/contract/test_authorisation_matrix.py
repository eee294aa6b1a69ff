"""Nobody gets in: every operation of every reference point, in all three wirings, with all that may be shown."""

from __future__ import annotations

import pytest

from hanse.assembly.token_endpoint import TOKEN_PATH
from hanse.kit.contract.declare import Api, get
from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.refpoints.table import REFERENCE_POINTS
from tests.contract.credentials import KINDS, caller_of, showing
from tests.contract.matrix import NOT_THERE, TLS_ALONE, WIRINGS, Cell, cells, missing
from tests.contract.recorded import REACHED, targets
from tests.contract.world import ROLES, World, wrong

pytestmark = pytest.mark.asyncio(loop_scope="module")

CELLS = cells(REFERENCE_POINTS)


@pytest.mark.parametrize("cell", [c for c in CELLS if c.wiring == "direct"], ids=str)
async def test_within_a_process_a_caller_reaches_what_its_role_and_operator_may_use(world: World, cell: Cell) -> None:
    found = []
    for target in targets(cell.provider):
        caller = caller_of(cell.user, cell.kind)
        provider = world.north.direct(target, world.north.element(cell.provider), caller)
        status, seen = await world.north.outcome(target, provider)
        legal = cell.expected(target)
        if status not in legal or seen is not (REACHED in legal):
            found.append(f"{target.operation.name}: {status}, {'reached' if seen else 'not reached'}")
    assert found == []


@pytest.mark.parametrize("cell", [c for c in CELLS if c.wiring != "direct"], ids=str)
async def test_over_a_wire_only_what_is_good_and_its_own_opens_anything(world: World, cell: Cell) -> None:
    async with showing(world, cell.provider, cell.user, cell.means, cell.kind) as shown:
        found = await wrong(world, cell.wiring, cell.provider, shown.identity, shown.token, cell.expected)
    assert found == []


async def test_no_operation_is_without_its_cells() -> None:
    assert missing(REFERENCE_POINTS, CELLS) == []


async def test_nothing_is_served_that_the_matrix_does_not_try(world: World) -> None:
    for element in world.north.built.wiring.chosen:
        server = world.north.bound[element.name].application
        served = {(route.api, route.operation.name) for route in server.router.routes}
        assert served == {(target.api, target.operation.name) for target in targets(element.role)}, element.role
        tokens = {TOKEN_PATH} if element.role in ("mep", "oss", "meo", "border") else set()
        assert set(server._raw) == tokens, "an application that no guard stands before"
    assert {element.role for element in world.north.built.wiring.chosen} == set(ROLES)


async def test_an_operation_that_is_added_and_not_tried_is_told_by_name() -> None:
    class Novelty(Api, bases=("/novelty/v1",)):
        @get("/things")
        async def things(self) -> list[str]:
            """Something new."""
            raise NotImplementedError

    class Elsewhere(Api, bases=("/elsewhere/v1",)):
        @get("/things")
        async def others(self) -> list[str]:
            """Something that an unknown element offers."""
            raise NotImplementedError

    offers = (Offer(Novelty, "meo", ("vim",)), Offer(Elsewhere, "lighthouse", ("oss",)))
    points = (*REFERENCE_POINTS, ReferencePoint("New", "a – b", "none", offers))
    told = missing(points, CELLS)
    assert "lighthouse: no element of this role is tried" in told
    assert "meo.things by vim: socket, revoked" in told
    never = len(NOT_THERE) + len(TLS_ALONE)
    assert len([line for line in told if line.startswith("meo.things")]) == len(WIRINGS) * len(KINDS) - never
    assert missing(points, cells(points)) == ["lighthouse: no element of this role is tried"]
