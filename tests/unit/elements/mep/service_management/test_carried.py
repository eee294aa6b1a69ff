"""A service on the platform's own transport is called through the platform, wherever that is, however it was put."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from hanse.elements.mep.service_management.transports import PLATFORM_TRANSPORT
from hanse.kit.contract.exchange import Exchange
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mp1.services import EndPointInfo, ServiceInfo, TransportInfo
from tests.unit.elements.mep import parts
from tests.unit.elements.mep.parts import Bench, configuration, nothing, service, transport

APP = "http://127.9.0.100:8080/"
PREFIXED = f"{parts.URL}/sandbox/mep"


@pytest.fixture(params=[parts.URL, PREFIXED], ids=["plain", "prefixed"])
async def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A platform at either URL, with an app."""
    monkeypatch.setattr(parts, "URL", request.param)
    made = Bench()
    await made.platform.configuration.configure("one", configuration("one", "speech"))
    yield made
    made.store.close()


async def carried(bench: Bench) -> ServiceInfo:
    chosen = replace(service("speech"), transport_info=ABSENT, transport_id=PLATFORM_TRANSPORT)
    return (await bench.platform.services.register_service("one", chosen)).value


async def called(bench: Bench, known: ServiceInfo) -> list[tuple[str, ...]]:
    """What becomes of a call of an app of the host."""
    bench.calls.clear()
    await bench.platform.remote.consume(str(known.ser_instance_id), "v1/text", Exchange("GET", "", {}, nothing()))
    return bench.calls


async def put(bench: Bench, known: ServiceInfo, **changes: Any) -> ServiceInfo:
    replaced = await bench.platform.services.replace_service(
        "one", str(known.ser_instance_id), replace(known, **changes)
    )
    return replaced.value


async def test_the_uri_that_consumers_are_told_leads_to_the_app(bench: Bench) -> None:
    known = await carried(bench)
    assert isinstance(known.transport_info, TransportInfo)
    assert known.transport_info.endpoint.uris == (
        f"{parts.URL}/mec_remote_services/v1/services/{known.ser_instance_id}",
    )
    assert await called(bench, known) == [(APP, known.ser_instance_id, "v1/text", "GET")]


async def test_what_was_read_and_put_back_is_still_carried(bench: Bench) -> None:
    known = await put(bench, await carried(bench), version="2")
    assert await called(bench, known) == [(APP, known.ser_instance_id, "v1/text", "GET")]


async def test_what_its_producer_leads_elsewhere_is_carried_no_more_and_is_again_once_put_back(bench: Bench) -> None:
    known = await carried(bench)
    away = await put(bench, known, transport_info=transport())
    with pytest.raises(Problem) as caught:
        await called(bench, away)
    assert caught.value.status == 404
    assert await called(bench, await put(bench, known)) == [(APP, known.ser_instance_id, "v1/text", "GET")]


async def test_another_host_with_the_path_of_the_platform_is_not_the_platform(bench: Bench) -> None:
    known = await carried(bench)
    path = f"/mec_remote_services/v1/services/{known.ser_instance_id}"
    elsewhere = replace(transport(), endpoint=EndPointInfo(uris=(f"http://127.9.0.200{path}",)))
    away = await put(bench, known, transport_info=elsewhere)
    with pytest.raises(Problem) as caught:
        await called(bench, away)
    assert caught.value.status == 404


async def test_a_platform_that_has_moved_still_carries_what_was_told_before(bench: Bench, monkeypatch: Any) -> None:
    known = await carried(bench)
    monkeypatch.setattr(bench.platform.services, "_url", "https://127.9.0.1:9443")
    known = await put(bench, known, version="2")
    assert await called(bench, known) == [(APP, known.ser_instance_id, "v1/text", "GET")]
