"""Mm1, lifecycle: what may be done with an instance in each of its states (ETSI GS MEC 010-2 V3.1.1, 7.4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.mm1_system import System, nothing_starts
from tests.contract.mp1_host import Reply, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")

INSTANCES = "/app_lcm/v1/app_instances"
OPERATIONS = "/app_lcm/v1/app_lcm_op_occs"
FORCED = {"terminationType": "FORCEFUL"}
STOP, START = {"changeStateTo": "STOPPED"}, {"changeStateTo": "STARTED"}
RING = [[0, 0], [1, 0], [1, 1], [0, 0]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def descriptor(system: System) -> AsyncIterator[str]:
    here, descriptor = await system.on_boarded()
    yield descriptor
    await system.removed(here)


@pytest_asyncio.fixture(loop_scope="module")
async def instance(system: System, descriptor: str) -> AsyncIterator[str]:
    """The URI of an instance that has no resources yet."""
    here = (await system.call("POST", INSTANCES, {"appDId": descriptor})).headers["location"]
    yield here
    await system.call("DELETE", here)


def links(info: dict[str, Any]) -> set[str]:
    return set(info["_links"])


async def task(system: System, here: str, name: str, body: Any) -> Reply:
    return await system.call("POST", f"{here}/{name}", body)


async def test_an_instance_begins_with_what_its_package_says(system: System, descriptor: str) -> None:
    wanted = {"appDId": descriptor, "appInstanceName": "ear", "appInstanceDescription": "hears"}
    made = await system.call("POST", INSTANCES, wanted)
    assert made.status == 201
    here = made.headers["location"]
    assert here == f"{system.base}{INSTANCES}/{made.body['id']}" == made.body["_links"]["self"]["href"]
    assert wanted.items() <= made.body.items()
    package = (await system.call("GET", f"/app_pkgm/v1/onboarded_app_packages/{descriptor}")).body
    for ours, theirs in (("appSoftVersion", "appSoftwareVersion"), ("appPkgId", "id"), ("appName", "appName")):
        assert made.body[ours] == package[theirs]
    assert made.body["instantiationState"] == "NOT_INSTANTIATED"
    assert "instantiatedAppState" not in made.body
    assert links(made.body) == {"self", "instantiate"}
    assert made.body in (await system.call("GET", INSTANCES + "?all_fields")).body
    assert (await system.call("GET", INSTANCES, tenant="rival")).body == []
    refused(await system.call("GET", here, tenant="rival"), 404)
    refused(await system.call("DELETE", here, tenant="rival"), 404)
    assert (await system.call("DELETE", here)).status == 204
    refused(await system.call("GET", here), 404)


async def test_an_instance_of_nothing_is_refused(system: System) -> None:
    refused(await system.call("POST", INSTANCES, {"appDId": "unknown"}), 404, "unknown")
    refused(await system.call("POST", INSTANCES, {}), 400, "appDId")


@pytest.mark.parametrize(
    ("request_body", "words"),
    [
        ({"selectedMECHostInfo": [{"hostId": {"name": "harbour"}}]}, ("selectedMECHostInfo",)),
        ({"virtualComputeDescriptor": {}}, ("virtualComputeDescriptor",)),
        ({"osContainerDescriptor": []}, ("osContainerDescriptor",)),
        ({"virtualStorageDescriptor": []}, ("virtualStorageDescriptor",)),
        ({"vimConnectionInfo": {}}, ("vimConnectionInfo",)),
        ({"appTermCandsForCoord": {}}, ("appTermCandsForCoord",)),
        ({"locationConstraints": {}}, ("countryCode",)),
        ({"locationConstraints": {"countryCode": "DE", "civicAddressElement": []}}, ("civicAddressElement",)),
        ({"locationConstraints": {"area": {"type": "Point", "coordinates": [0, 0]}}}, ("area", "Polygon")),
        ({"locationConstraints": {"area": {"type": "Polygon", "coordinates": [RING[:3]]}}}, ("area",)),
    ],
)
async def test_what_cannot_be_honoured_is_refused_and_not_ignored(
    system: System, instance: str, request_body: dict[str, Any], words: tuple[str, ...]
) -> None:
    refused(await task(system, instance, "instantiate", request_body), 400, *words)
    assert (await system.call("GET", instance)).body["instantiationState"] == "NOT_INSTANTIATED"


async def test_a_place_without_a_host_fails_the_operation_alone(system: System, instance: str) -> None:
    sea = {"locationConstraints": {"area": {"type": "Polygon", "coordinates": [RING]}}}
    accepted = await task(system, instance, "instantiate", sea)
    operation = await system.ended(accepted)
    assert (operation["operationState"], operation["error"]["status"]) == ("FAILED", 409)
    assert operation["operationParams"] == sea
    assert (await system.call("GET", instance)).body["instantiationState"] == "NOT_INSTANTIATED"


async def test_without_resources_there_is_nothing_to_end_or_stop(system: System, instance: str) -> None:
    refused(await task(system, instance, "terminate", FORCED), 409, "NOT_INSTANTIATED")
    refused(await task(system, instance, "operate", STOP), 409, "NOT_INSTANTIATED")


async def test_an_instance_lives_through_all_its_states(system: System, descriptor: str, instance: str) -> None:
    with nothing_starts():
        accepted = await task(system, instance, "instantiate", {})
        assert (accepted.status, accepted.body) == (202, b"")
        for name, body in (("instantiate", {}), ("terminate", FORCED), ("operate", STOP)):
            refused(await task(system, instance, name, body), 409)
        refused(await system.call("DELETE", instance), 409)
    operation = await system.ended(accepted)
    assert (operation["operationState"], operation["lcmOperation"]) == ("COMPLETED", "INSTANTIATE")
    assert operation["_links"]["self"]["href"] == accepted.headers["location"]
    assert operation["_links"]["appInstance"]["href"] == instance
    assert set(operation["startTime"]) == {"seconds", "nanoSeconds"}
    refused(await system.call("GET", accepted.headers["location"], tenant="rival"), 404)

    info = (await system.call("GET", instance)).body
    assert info["instantiationState"] == "INSTANTIATED"
    assert info["instantiatedAppState"]["operationalState"] == "STARTED"
    assert links(info) == {"self", "terminate", "operate"}
    refused(await task(system, instance, "instantiate", {}), 409, "INSTANTIATED")
    refused(await system.call("DELETE", instance), 409, "INSTANTIATED")
    await _refuse_bad_requests(system, instance)

    for change, state in ((STOP, "STOPPED"), (START, "STARTED")):
        done = await system.ended(await task(system, instance, "operate", change))
        assert (done["operationState"], done["operationParams"]) == ("COMPLETED", change)
        info = (await system.call("GET", instance)).body
        assert info["instantiatedAppState"]["operationalState"] == state
        refused(await task(system, instance, "operate", change), 409, state)

    graceful = {"terminationType": "GRACEFUL", "gracefulTerminationTimeout": 5}
    assert (await system.ended(await task(system, instance, "terminate", graceful)))["operationState"] == "COMPLETED"
    info = (await system.call("GET", instance)).body
    assert (info["instantiationState"], links(info)) == ("NOT_INSTANTIATED", {"self", "instantiate"})
    assert (await system.call("DELETE", instance)).status == 204


async def _refuse_bad_requests(system: System, instance: str) -> None:
    """Requests that contradict themselves, of an instance that runs (6.2.2.8, 6.2.2.9)."""
    for name, body, word in (
        ("operate", START | {"stopType": "GRACEFUL"}, "stopType"),
        ("operate", STOP | {"stopType": "GRACEFUL"}, "gracefulStopTimeout"),
        ("operate", STOP | {"stopType": "FORCEFUL", "gracefulStopTimeout": 5}, "gracefulStopTimeout"),
        ("operate", STOP | {"gracefulStopTimeout": 5}, "gracefulStopTimeout"),
        ("operate", STOP | {"stopType": "GRACEFUL", "gracefulStopTimeout": 0}, "gracefulStopTimeout"),
        ("operate", {"changeStateTo": "PAUSED"}, "STOPPED"),
        ("operate", {}, "changeStateTo"),
        ("terminate", FORCED | {"gracefulTerminationTimeout": 5}, "gracefulTerminationTimeout"),
        ("terminate", {"terminationType": "GRACEFUL", "gracefulTerminationTimeout": -1}, "gracefulTerminationTimeout"),
        ("terminate", {"terminationType": "KINDLY"}, "GRACEFUL"),
        ("terminate", {}, "terminationType"),
    ):
        refused(await task(system, instance, name, body), 400, word)
    refused(await task(system, instance, "operate", START), 409, "STARTED")


async def test_what_is_unknown_is_not_there(system: System) -> None:
    for name, body in (("instantiate", {}), ("terminate", FORCED), ("operate", STOP)):
        refused(await task(system, f"{INSTANCES}/unknown", name, body), 404, "unknown")
    for method, path in (
        ("GET", f"{INSTANCES}/unknown"),
        ("DELETE", f"{INSTANCES}/unknown"),
        ("GET", f"{OPERATIONS}/x"),
    ):
        refused(await system.call(method, path), 404)
    refused(await system.call("PUT", f"{INSTANCES}/unknown"), 405)
    refused(await system.call("DELETE", f"{OPERATIONS}/x"), 405)
