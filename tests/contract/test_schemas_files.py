"""What the generated requests are made from: ETSI's own files, and a judge that does find what is wrong."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
import schemathesis
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Err

from hanse.kit.certificates import client_context
from hanse.kit.contract.declare import Api
from hanse.refpoints.mfm_fed.system_info import FederationEnablement
from tests.contract import schemas_asking
from tests.contract.conformance import template
from tests.contract.conformance_rows import STANDARD
from tests.contract.official import official_files_or_skip
from tests.contract.schemas_amended import amended
from tests.contract.schemas_asking import Server, ask_much
from tests.contract.statuses.mfm_fed_place import mfm_fed_place
from tests.contract.test_official_files import FILES

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.shared]

UNREADABLE: dict[str, str] = {}
"""Official files that cannot be read as OpenAPI as they are, each with the reason: at present there is none."""
OPERATION = FederationEnablement.operations["list_systems"]


def asked_of(read: schemathesis.BaseSchema) -> Iterator[tuple[str, str]]:
    for result in read.get_all_operations():
        if isinstance(result, Err):
            raise result.err()
        yield result.ok().method.upper(), result.ok().path


@pytest.mark.parametrize("name", FILES)
async def test_every_official_file_is_read_as_it_is_or_listed(name: str) -> None:
    read = schemathesis.openapi.from_path(official_files_or_skip() / f"{name}.yaml")
    try:
        read.validate()
        found = list(asked_of(read))
    except Exception:
        assert name in UNREADABLE
        return
    assert found
    assert name not in UNREADABLE, "it can be read"


@pytest.mark.parametrize("api", STANDARD, ids=lambda api: api.__name__)
async def test_every_operation_that_is_offered_can_be_asked(api: type[Api]) -> None:
    official_files_or_skip()
    read = schemathesis.openapi.from_dict(amended(api))
    read.validate()
    assert set(asked_of(read)) == {(o.method, template(o.path)) for o in api.operations.values()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    official_files_or_skip()
    async with mfm_fed_place(tmp_path_factory.mktemp("schemas")) as place:
        tls = client_context([place.identities.authority_path], place.identities.issue("meo"))
        yield Server(place, place.callers.base, tls, dict)


def _another_attribute(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["HanseSystemInfo"]["required"].append("draught")


def _another_status(document: dict[str, Any]) -> None:
    del document["paths"][OPERATION.path]["get"]["responses"]["200"]


def _another_media_type(document: dict[str, Any]) -> None:
    answer = document["paths"][OPERATION.path]["get"]["responses"]["200"]
    answer["content"] = {"text/plain": answer["content"]["application/json"]}


@pytest.mark.parametrize(
    ("lie", "told"),
    [(_another_attribute, "draught"), (_another_status, "200"), (_another_media_type, "text/plain")],
)
async def test_an_answer_that_is_not_what_the_document_says_is_found(
    server: Server, lie: Callable[[dict[str, Any]], None], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = copy.deepcopy(amended(FederationEnablement))
    lie(document)
    monkeypatch.setattr(schemas_asking, "amended", lambda _: document)
    await server.place.example(FederationEnablement, "read_system")
    with pytest.raises(FailureGroup) as found:
        await ask_much(server, FederationEnablement, OPERATION)
    assert told in "".join(f"{failure.title} {failure.message}" for failure in found.value.exceptions)


async def test_a_refusal_that_changes_something_is_found(server: Server) -> None:
    kept = iter(range(10**6))
    restless = Server(server.place, server.base, server.tls, lambda: {"ships": [(str(next(kept)),)]})
    with pytest.raises(AssertionError, match="a refusal has changed"):
        await ask_much(restless, FederationEnablement, FederationEnablement.operations["register_system"])
