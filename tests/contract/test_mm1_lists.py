"""Mm1, lists: filtered, shortened and left out by default as MEC 009 and MEC 010-2 say (6.18 to 6.20; 7.3.1.3.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.contract.mm1_system import System
from tests.contract.mp1_host import refused
from tests.contract.test_mm1 import PACKAGES
from tests.contract.test_mm1_lifecycle import FORCED, INSTANCES, OPERATIONS

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def descriptor(system: System) -> AsyncIterator[str]:
    here, descriptor = await system.on_boarded()
    yield descriptor
    for left in (await system.call("GET", INSTANCES)).body:
        await system.call("DELETE", f"{INSTANCES}/{left['id']}")
    await system.removed(here)


async def listed(system: System, target: str) -> list[dict[str, Any]]:
    reply = await system.call("GET", target)
    assert reply.status == 200, reply
    body: list[dict[str, Any]] = reply.body
    return body


async def instance(system: System, descriptor: str, name: str) -> dict[str, Any]:
    made = await system.call("POST", INSTANCES, {"appDId": descriptor, "appInstanceName": name})
    assert made.status == 201
    body: dict[str, Any] = made.body
    return body


async def test_lists_leave_out_what_the_standard_says_unless_it_is_asked_for(system: System, descriptor: str) -> None:
    made = await instance(system, descriptor, "long")
    wanted = quote(f"(eq,id,{made['id']})")
    (short,) = await listed(system, f"{INSTANCES}?filter={wanted}")
    assert short == made | {"_links": {"self": made["_links"]["self"]}}
    assert await listed(system, f"{INSTANCES}?filter={wanted}&exclude_default") == [short]
    assert await listed(system, f"{INSTANCES}?filter={wanted}&all_fields") == [made]
    assert await listed(system, f"{INSTANCES}?filter={wanted}&fields=_links/instantiate") == [made]
    (package,) = await listed(system, f"{PACKAGES}?filter={quote(f'(eq,appDId,{descriptor})')}")
    assert {"checksum", "softwareImages"}.isdisjoint(package)
    (whole,) = await listed(system, f"{PACKAGES}?all_fields&filter={quote(f'(eq,appDId,{descriptor})')}")
    assert package == {name: value for name, value in whole.items() if name not in ("checksum", "softwareImages")}


async def test_operations_are_found_by_what_they_were_asked_for(system: System, descriptor: str) -> None:
    made = await instance(system, descriptor, "run")
    for task, wish in (("instantiate", {}), ("terminate", FORCED)):
        await system.ended(await system.call("POST", f"{INSTANCES}/{made['id']}/{task}", wish))
    of_it = quote(f"(eq,_links/appInstance/href,{made['_links']['self']['href']})")
    short = await listed(system, f"{OPERATIONS}?filter={of_it}")
    whole = await listed(system, f"{OPERATIONS}?filter={of_it}&all_fields")
    assert [operation["lcmOperation"] for operation in whole] == ["INSTANTIATE", "TERMINATE"]
    for ours, theirs in zip(short, whole, strict=True):
        assert theirs.keys() - ours.keys() == {"operationParams", "_links"}
    forced = quote("(eq,operationParams/terminationType,FORCEFUL)") + f";{of_it}"
    assert [operation["id"] for operation in await listed(system, f"{OPERATIONS}?filter={forced}")] == [whole[1]["id"]]


async def test_filters_reach_every_attribute(system: System, descriptor: str) -> None:
    one, two = await instance(system, descriptor, "red ear"), await instance(system, descriptor, "blue ear, big")
    for text, expected in {
        "(eq,appInstanceName,red ear)": [one["id"]],
        "(eq,appInstanceName,'blue ear, big')": [two["id"]],
        "(cont,appInstanceName,red,blue)": [one["id"], two["id"]],
        f"(in,id,{one['id']},{two['id']});(eq,instantiationState,NOT_INSTANTIATED)": [one["id"], two["id"]],
        f"(eq,_links/self/href,{two['_links']['self']['href']})": [two["id"]],
        f"(in,id,{one['id']},{two['id']});(eq,instantiatedAppState/operationalState,STARTED)": [],
    }.items():
        assert [found["id"] for found in await listed(system, f"{INSTANCES}?filter={quote(text)}")] == expected, text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("filter=(eq,colour,red)", ("filter", "colour", "appName")),
        ("filter=(eq,instantiationState,ASLEEP)", ("filter", "NOT_INSTANTIATED")),
        ("filter=id", ("filter", "'('")),
        ("fields=colour", ("fields", "colour")),
        ("exclude_fields=id", ("exclude_fields", "always there")),
        ("all_fields&exclude_default", ("all_fields", "exclude_default")),
        ("nextpage_opaque_marker=abc", ("nextpage_opaque_marker", "Link")),
        ("filter1=(eq,id,a)", ("filter1", "filter")),
    ],
)
async def test_a_query_that_cannot_be_meant_is_refused(system: System, query: str, words: tuple[str, ...]) -> None:
    refused(await system.call("GET", f"{INSTANCES}?{query}"), 400, *words)
