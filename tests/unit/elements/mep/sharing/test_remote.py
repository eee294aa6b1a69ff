"""Services elsewhere are found for the device that will use them, and reached through the platform only."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hanse.elements.mep.records import NeighbourRecord
from hanse.elements.mep.sharing import remembered
from hanse.kit.contract.exchange import Exchange
from hanse.kit.problems import Problem
from hanse.kit.store import Transaction
from hanse.kit.values import ABSENT
from hanse.refpoints.mm3.management import FoundService
from hanse.refpoints.mp1.services import EndPointInfo, LocalityType, ServiceQuery, ServiceState
from hanse.refpoints.mpp_fed.consumption import as_named
from tests.unit.elements.mep.parts import URL, Bench, app, configuration, nothing, service, transport

FOUND = FoundService(
    system="south",
    reference="pseudonym",
    ser_name="speech",
    version="1",
    state=ServiceState.ACTIVE,
    serializer="JSON",
    transport_type="REST_HTTP",
    transport_version="1.1",
    zone="south-west",
)
WANTED = ServiceQuery(ser_name=("speech",))
REQUEST = Exchange("POST", "", {}, nothing())


async def test_a_service_elsewhere_is_called_through_the_platform_under_a_stable_id(bench: Bench) -> None:
    bench.manager.found = [FOUND]
    with app("one"):
        [first] = await bench.platform.services.find_services(WANTED)
        [again] = await bench.platform.services.find_services(WANTED)
    assert first == again
    assert first.transport_info is not ABSENT
    uri = f"{URL}/mec_remote_services/v1/services/{first.ser_instance_id}"
    assert first.transport_info.endpoint.uris == (uri,)
    assert (await bench.platform.services.read_service(str(first.ser_instance_id))).value == first
    await bench.platform.remote.consume(str(first.ser_instance_id), "v1/text", REQUEST)
    assert bench.calls == [("south", "pseudonym", "v1/text", "POST")]


async def found(bench: Bench, *answer: FoundService) -> list[str]:
    """The ids under which an app sees what the federation answers."""
    bench.manager.found = list(answer)
    with app("one"):
        return [str(s.ser_instance_id) for s in await bench.platform.services.find_services(WANTED)]


def other(reference: str, **more: str) -> FoundService:
    return msgspec.structs.replace(FOUND, reference=reference, **more)


async def test_an_id_that_an_app_was_given_finds_the_service_elsewhere_again(bench: Bench) -> None:
    first, second = await found(bench, FOUND, other("pseudonym-2"))
    bench.manager.asked.clear()
    with app("one"):
        again = await bench.platform.services.find_services(ServiceQuery(ser_instance_id=(second, "unknown")))
        local = await bench.platform.services.find_services(ServiceQuery(ser_instance_id=(first,), is_local=True))
    assert [service.ser_instance_id for service in again] == [second]
    assert local == []
    assert bench.manager.asked == []


async def test_a_service_that_its_platform_no_longer_has_is_forgotten_and_no_other(bench: Bench) -> None:
    [elsewhere] = await found(bench, other("p0", zone="south-east"))
    [of_another] = await found(bench, other("p0", system="east"))
    first, second = await found(bench, FOUND, other("p2"))
    assert await found(bench, other("p2")) == [second]
    assert await found(bench) == []
    with pytest.raises(Problem) as caught:
        await bench.platform.services.read_service(first)
    assert caught.value.status == 404
    for kept in (elsewhere, of_another, second):
        assert (await bench.platform.services.read_service(kept)).value.ser_instance_id == kept


async def test_a_look_up_reads_nothing_of_services_of_other_names_and_places(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await found(bench, *(other(f"p{n}", ser_name=f"name-{n}") for n in range(50)))
    await found(bench, other("one"), other("two"))

    def refused(*_: object) -> Any:
        raise AssertionError("all services were looked at")

    monkeypatch.setattr(bench.platform.records.remote, "values", refused)
    monkeypatch.setattr(Transaction, "items", refused)
    assert len(await found(bench, other("two"))) == 1
    monkeypatch.undo()
    assert len(bench.platform.records.remote) == 51


async def test_a_federation_cannot_fill_the_disk_nor_drop_what_a_neighbour_shares(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "REMOTE_KEPT", 3)
    records, [announced] = bench.platform.records, await found(bench, other("airport/s1", system=""))
    airport = NeighbourRecord(host="airport", mark="1", services={announced: records.remote.get(announced)})
    await bench.store.commit(lambda tx: tx.put(records.neighbours, "airport", airport))
    seen = [(await found(bench, other(f"p{n}", zone=f"zone-{n}")))[0] for n in range(5)]
    assert [r.service.ser_instance_id for r in records.remote.values()] == [announced, *seen[2:]]


async def test_a_service_of_another_host_of_the_system_is_called_there(bench: Bench) -> None:
    bench.manager.found = [msgspec.structs.replace(FOUND, system="", reference="airport/s1")]
    with app("one"):
        [found] = await bench.platform.services.find_services(WANTED)
    assert found.is_local is True
    await bench.platform.remote.consume(str(found.ser_instance_id), "x", REQUEST)
    assert bench.calls == [("mep.airport", "s1", "x", "POST")]


async def test_what_the_host_has_is_not_looked_for_elsewhere(bench: Bench) -> None:
    await bench.platform.configuration.configure("one", configuration("one", "speech"))
    await bench.platform.services.register_service("one", service("speech"))
    bench.manager.found = [FOUND]
    [found] = await bench.platform.services.find_services(WANTED)
    assert found.is_local is True
    assert bench.manager.asked == []


@pytest.mark.parametrize(
    "query", [{"is_local": True, "ser_name": ("speech",)}, {"scope_of_locality": LocalityType.MEC_HOST}, {}]
)
async def test_a_query_for_the_host_alone_asks_nobody(bench: Bench, query: dict[str, Any]) -> None:
    bench.manager.found = [FOUND]
    assert await bench.platform.services.find_services(ServiceQuery(**query)) == []
    assert bench.manager.asked == []


@pytest.mark.parametrize("more", [{"consumed_local_only": True}, {"scope_of_locality": LocalityType.MEC_HOST}])
async def test_what_comes_from_elsewhere_fits_the_whole_query(bench: Bench, more: dict[str, Any]) -> None:
    bench.manager.found = [FOUND]
    query = ServiceQuery(ser_name=("speech",), **more)
    assert await bench.platform.services.find_services(query) == []


async def test_nothing_is_found_rather_than_an_error_while_nobody_can_be_asked(bench: Bench) -> None:
    bench.manager.found, bench.manager.away = [FOUND], 1
    with app("one"):
        assert await bench.platform.services.find_services(WANTED) == []


async def test_an_unknown_service_elsewhere_is_not_found(bench: Bench) -> None:
    with pytest.raises(Problem) as caught:
        await bench.platform.remote.consume("nothing", "x", REQUEST)
    assert caught.value.status == 404
    assert bench.calls == []


async def test_a_call_from_elsewhere_reaches_the_app_that_offers_the_service(bench: Bench) -> None:
    await bench.platform.configuration.configure("one", configuration("one", "speech"))
    known = (await bench.platform.services.register_service("one", service("speech"))).value
    answer = await bench.platform.local.consume(str(known.ser_instance_id), "v1/text", REQUEST)
    assert answer.status == 299
    assert bench.calls == [("http://127.9.0.100:8080/api", str(known.ser_instance_id), "v1/text", "POST")]


async def test_a_service_that_was_renamed_is_not_reached_under_the_name_that_was_shared(bench: Bench) -> None:
    await bench.platform.configuration.configure("one", configuration("one", "speech", "payments"))
    known = (await bench.platform.services.register_service("one", service("speech"))).value
    reference = as_named(str(known.ser_instance_id), "speech")
    assert (await bench.platform.local.consume(reference, "v1/text", REQUEST)).status == 299
    renamed = msgspec.structs.replace(service("payments"), ser_instance_id=known.ser_instance_id)
    await bench.platform.services.replace_service("one", str(known.ser_instance_id), renamed)
    with pytest.raises(Problem) as caught:
        await bench.platform.local.consume(reference, "v1/text", REQUEST)
    assert caught.value.status == 404
    assert [called[1] for called in bench.calls] == [str(known.ser_instance_id)]


async def test_a_service_for_the_host_alone_does_not_exist_for_others(bench: Bench) -> None:
    await bench.platform.configuration.configure("one", configuration("one", "speech"))
    inner = msgspec.structs.replace(service("speech"), consumed_local_only=True)
    known = (await bench.platform.services.register_service("one", inner)).value
    with pytest.raises(Problem) as caught:
        await bench.platform.local.consume(str(known.ser_instance_id), "x", REQUEST)
    assert caught.value.status == 404
    assert bench.calls == []


async def test_a_service_that_is_not_on_the_web_is_said_to_be_unreachable(bench: Bench) -> None:
    await bench.platform.configuration.configure("one", configuration("one", "speech"))
    bus = msgspec.structs.replace(transport(), endpoint=EndPointInfo(alternative={"topic": "speech"}))
    odd = msgspec.structs.replace(service("speech"), transport_info=bus)
    known = (await bench.platform.services.register_service("one", odd)).value
    with pytest.raises(Problem, match="Service has no URI") as caught:
        await bench.platform.local.consume(str(known.ser_instance_id), "x", REQUEST)
    assert caught.value.status == 502
