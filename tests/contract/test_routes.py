"""What an element serves is what the table of reference points says, no more and no less."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanse.assembly.catalogue import OF_HOST, OF_OPERATOR
from hanse.assembly.deployment import Deployment
from hanse.assembly.servers import INNER
from hanse.assembly.token_endpoint import TOKEN_PATH
from hanse.kit.contract.listen import Listener
from hanse.kit.contract.reference import Offer, offers_of
from hanse.kit.contract.serve import ApiServer
from hanse.kit.contract.transport import MemoryTransport
from hanse.refpoints.table import REFERENCE_POINTS
from tests.contract.wired import deployed, listening, put_together, taken_apart
from tests.unit.kit.contract.harbour import Watch

ROLES = (*OF_OPERATOR, *OF_HOST)
OUTSIDERS = ("app", "customer", "administrator", "partner")
WITH_TOKENS = ("oss", "meo", "mep", "border")
OFFERS = [offer for point in REFERENCE_POINTS for offer in point.offers]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("routes")) as found:
        yield found


def declared(role: str) -> set[str]:
    return {
        f"{offer.api.operations[name].method} {base}{offer.api.operations[name].path}"
        for _, offer in offers_of(REFERENCE_POINTS, role)
        for name in offer.only or offer.api.operations
        for base in offer.api.api_bases
    }


def served(listener: Listener) -> list[str]:
    server = listener.application
    assert isinstance(server, ApiServer)
    return [f"{route.operation.method} {route.base}{route.operation.path}" for route in server.router.routes]


@pytest.mark.parametrize("role", ROLES)
async def test_an_element_that_is_a_process_serves_what_is_declared(role: str, deployment: Deployment) -> None:
    name = role if role in OF_OPERATOR else f"{role}.harbour"
    built = put_together(deployment, [name])
    bound = listening(built)
    try:
        assert list(bound) == [name]
        assert sorted(served(bound[name])) == sorted(declared(role))
        answer = await MemoryTransport(bound[name].application).send("GET", TOKEN_PATH, {}, None, 5.0)
        assert answer.status == (405 if role in WITH_TOKENS else 401), "tokens are issued where they are believed"
    finally:
        await taken_apart(built, bound)


async def test_an_operator_that_is_one_process_serves_only_what_others_reach(deployment: Deployment) -> None:
    built = put_together(deployment, ["all"])
    bound = listening(built)
    try:
        roles = {name: name.partition(".")[0] for name in bound}
        assert not set(roles.values()) & set(INNER)
        assert {name: sorted(served(bound[name])) for name in bound} == {
            name: sorted(declared(role)) for name, role in roles.items()
        }
    finally:
        await taken_apart(built, bound)


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: f"{offer.api.__name__}-{offer.provider}")
def test_the_table_names_only_what_exists(offer: Offer) -> None:
    assert offer.provider in ROLES
    assert set(offer.users) <= {*ROLES, *OUTSIDERS}
    assert set(offer.only) <= set(offer.api.operations)
    assert set(offer.own) <= set(offer.users)
    parameters = {p for operation in offer.api.operations.values() for p in operation.path_parameters}
    assert set(offer.own.values()) <= parameters


@pytest.mark.parametrize(("role", "point"), [("mep", "Mp1"), ("oss", "Mx1"), ("meo", "Mm1"), ("border", "Mff-fed")])
async def test_a_request_for_a_token_is_seen_where_it_crosses(role: str, point: str, deployment: Deployment) -> None:
    name = role if role in OF_OPERATOR else f"{role}.harbour"
    built = put_together(deployment, [name])
    built.wiring.observer = watch = Watch()
    bound = listening(built)
    try:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        transport = MemoryTransport(bound[name].application)
        answer = await transport.send("POST", TOKEN_PATH, headers, b"grant_type=client_credentials", 5.0)
        assert answer.status == 401
        seen = [(m.operator, m.receiver, m.reference_point, m.operation, m.status) for m in watch.messages]
        assert seen == [("north", name, point, "token", 401)]
    finally:
        await taken_apart(built, bound)
