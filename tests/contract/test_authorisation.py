"""Only those whom the table of reference points names reach an element, whichever way they come to it."""

from __future__ import annotations

import pytest

from hanse.kit.contract.call import NOBODY, Caller
from tests.bounds import SOON
from tests.contract.recorded import APP, REACHED, targets
from tests.contract.world import ROLES, WIRES, World, reached, wrong

pytestmark = pytest.mark.asyncio(loop_scope="module")

INSIDERS = (*ROLES, "administrator", "customer")
EVERYBODY = (*INSIDERS, "app", "partner", "nobody")


@pytest.mark.parametrize("caller", EVERYBODY)
@pytest.mark.parametrize("role", ROLES)
async def test_within_a_process_only_the_roles_of_the_table_are_let_in(world: World, role: str, caller: str) -> None:
    own = ("south", "south") if caller == "partner" else ("north", APP)
    who = NOBODY if caller == "nobody" else Caller(role=caller, name=caller, operator=own[0], subject=own[1])
    for target in targets(role):
        provider = world.north.direct(target, world.north.element(role), who)
        expected = (REACHED, True) if caller in target.users else (403, False)
        assert await world.north.outcome(target, provider) == expected, target.operation.name


@pytest.mark.parametrize("how", WIRES)
@pytest.mark.parametrize("caller", INSIDERS)
@pytest.mark.parametrize("role", [role for role in ROLES if role != "border"])
async def test_a_certificate_opens_what_its_role_may_use_and_nothing_else(
    world: World, how: str, role: str, caller: str
) -> None:
    identity = world.identity(caller)
    found = await wrong(world, how, role, identity, None, lambda t: {REACHED} if caller in t.users else {403})
    assert found == []


@pytest.mark.parametrize("how", WIRES)
@pytest.mark.parametrize("role", ROLES)
async def test_without_credentials_nothing_is_reached(world: World, how: str, role: str) -> None:
    refusals = (
        {401, 503} if role == "border" and how == "socket" else {401}
    )  # TLS itself insists on a certificate there
    assert await wrong(world, how, role, None, None, lambda _: refusals) == []


@pytest.mark.parametrize("how", WIRES)
@pytest.mark.parametrize("caller", ["meo", "mep.valley", "administrator"])
@pytest.mark.parametrize("role", ROLES)
async def test_the_certificate_of_another_operator_is_nobodys(world: World, how: str, role: str, caller: str) -> None:
    refusals = {401} if how == "memory" else {401, 503}  # the handshake fails
    assert await wrong(world, how, role, world.south.issue(caller), None, lambda _: refusals) == []


@pytest.mark.parametrize("caller", ["meo", "administrator"])
async def test_a_certificate_of_the_operator_does_not_pass_for_a_partners(world: World, caller: str) -> None:
    assert await wrong(world, "memory", "border", world.identity(caller), None, lambda _: {401}) == []


async def test_who_may_not_call_does_not_learn_what_a_body_should_look_like(world: World) -> None:
    for role in ("meo", "mepm", "mep"):
        async with reached(world, "memory", role, world.identity("names")) as transport:
            for target in targets(role):
                if target.operation.body is None or target.operation.method == "*":
                    continue
                path = target.api.api_bases[0] + target.operation.path.replace("{", "").replace("}", "")
                headers = {"content-type": "text/nonsense"}
                reply = await transport.send(target.operation.method, path, headers, b"{nonsense", SOON)
                assert reply.status == 403, target.operation.name
