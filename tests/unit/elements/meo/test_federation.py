"""Services are found on the nearest platform, first at home, then at partners (ETSI GR MEC 035, 6.5.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from hanse.elements.meo.lookup import LARGEST_TOLD, MOST_TOLD
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.meo_fed.platforms import PlatformDiscovery
from hanse.refpoints.mfm_fed.members import Member, MemberQuery
from hanse.refpoints.mfm_fed.system_info import SystemInfo
from hanse.refpoints.mm1.lifecycle import (
    CreateAppInstanceRequest,
    InstantiateAppRequest,
    StopType,
    TerminateAppRequest,
)
from hanse.refpoints.mm3.management import PlatformReport, ServiceWanted, SystemView
from hanse.refpoints.mp1.services import ServiceState
from tests.bounds import SOON
from tests.unit.elements.meo.parts import Bench, Peer, offer, offered, tenant

SPEECH = ServiceWanted(ser_name=("speech",))
IN_THE_NORTH = ServiceWanted(ser_name=("speech",), latitude=54.0, longitude=10.0)


def view(bench: Bench) -> SystemView:
    return cast(SystemView, bench.meo.apis()[SystemView])


def discovery(bench: Bench) -> PlatformDiscovery:
    return cast(PlatformDiscovery, bench.meo.apis()[PlatformDiscovery])


def partner(bench: Bench, name: str, peer: Peer) -> None:
    bench.federation.members.append(Member(system_id=f"system-{name}", system_name=name, partner=name))
    bench.peers[name] = peer


async def report(bench: Bench, host: str, sequence: int, *services: object) -> None:
    told = PlatformReport(host=host, sequence=sequence, services=services)  # type: ignore[arg-type]
    await view(bench).report_services(host, told)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_of_all_partners_the_platform_nearest_to_the_device_serves(bench: Bench) -> None:
    partner(bench, "south", Peer(offer("valley", 48.0), offer("summit", 53.0)))
    partner(bench, "east", Peer(offer("plain", 51.0)))
    [found] = await view(bench).find_service(IN_THE_NORTH)
    assert (found.system, found.reference, found.zone) == ("south", "ref-summit", "zone-summit")


async def test_a_partner_that_does_not_answer_does_not_hide_the_others(bench: Bench) -> None:
    partner(bench, "south", Peer(away=True))
    partner(bench, "east", Peer(offer("plain", 51.0)))
    [found] = await view(bench).find_service(SPEECH)
    assert found.system == "east"


async def test_nothing_is_found_where_nobody_offers_it_or_no_name_is_given(bench: Bench) -> None:
    partner(bench, "south", Peer())
    assert await view(bench).find_service(SPEECH) == []
    assert await view(bench).find_service(ServiceWanted()) == []


async def test_a_partner_that_tells_of_more_than_was_asked_is_not_believed(bench: Bench) -> None:
    near, far = offer("near", 54.0), offer("far", 48.0)
    [shared] = near.services
    other = replace(shared, ser_name="payments", reference="unasked")
    partner(bench, "south", Peer(replace(near, services=(other,)), replace(far, services=(other, shared))))
    [found] = await view(bench).find_service(IN_THE_NORTH)
    assert (found.ser_name, found.reference, found.zone) == ("speech", shared.reference, "zone-far")


async def test_a_partner_cannot_have_more_kept_than_there_is_room_for(bench: Bench) -> None:
    [shared] = offer("valley", 48.0).services
    many = tuple(replace(shared, reference=f"ref-{number}") for number in range(3 * MOST_TOLD))
    large = replace(shared, reference="x" * LARGEST_TOLD)
    partner(bench, "south", Peer(replace(offer("valley", 48.0), services=(large, *many))))
    found = await view(bench).find_service(SPEECH)
    assert [service.reference for service in found] == [service.reference for service in many[:MOST_TOLD]]


async def test_what_the_own_system_has_is_not_taken_from_a_partner(bench: Bench) -> None:
    partner(bench, "south", Peer(offer("valley", 54.0)))
    await report(bench, "airport", 1, offered("speech"))
    [found] = await view(bench).find_service(IN_THE_NORTH)
    assert (found.system, found.reference) == ("", "airport/id-speech")


async def test_the_newest_report_of_a_host_counts_whichever_comes_last(bench: Bench) -> None:
    await report(bench, "harbour", 2, offered("speech"))
    await report(bench, "harbour", 1)
    await report(bench, "harbour", 2)
    assert len(await view(bench).find_service(SPEECH)) == 1
    await report(bench, "harbour", 3)
    assert await view(bench).find_service(SPEECH) == []
    with pytest.raises(Problem, match="No such host"):
        await report(bench, "nowhere", 1)


async def test_partners_are_told_only_of_what_may_be_consumed_from_elsewhere(bench: Bench) -> None:
    bench.federation.systems["own"] = SystemInfo(system_name="north", system_provider="north", system_id="own")
    await bench.meo.start_up()
    await until(lambda: bool(bench.federation.resources))
    local, quiet = offered("local", local=True), offered("quiet", state=ServiceState.INACTIVE)
    await report(bench, "harbour", 1, offered("speech"), local, quiet)
    everything = MemberQuery(ser_name=ABSENT)
    [told] = await discovery(bench).platforms("own", everything)
    assert [service.ser_name for service in told.services] == ["speech"]
    assert told.zone.name == "zone-harbour"
    assert await discovery(bench).platforms("own", MemberQuery(ser_name=("local", "quiet"))) == []
    with pytest.raises(Problem) as caught:
        await discovery(bench).platforms("other", everything)
    assert caught.value.status == 404
    await bench.meo.shut_down()


async def test_the_system_is_registered_with_what_it_has_and_again_when_that_changes(bench: Bench) -> None:
    bench.fakes["airport"].away = True
    await bench.meo.start_up()
    await until(lambda: bool(bench.federation.resources))
    system, resources = bench.federation.resources[-1]
    assert system in bench.federation.systems
    assert [(zone.network, zone.addresses) for zone in resources.zones] == [("IPv6", 64), ("", 0)]
    assert [(zone.zone.name, zone.memory > 0) for zone in resources.zones] == [
        ("zone-harbour", True),
        ("zone-airport", False),
    ]
    await report(bench, "harbour", 1, offered("speech"), offered("local", local=True))
    await until(lambda: [s.ser_name for s in bench.federation.resources[-1][1].services] == ["speech"])
    await bench.meo.shut_down()
    assert len({system for system, _ in bench.federation.resources}) == 1


async def test_apps_that_run_are_registered_whether_they_offer_a_service_or_not(bench: Bench, csar: Path) -> None:
    def registered() -> list[tuple[str, tuple[str, ...]]]:
        _, resources = bench.federation.resources[-1]
        return [(app.app_name, app.zones) for app in resources.apps]

    await bench.meo.start_up()
    await until(lambda: bool(bench.federation.resources))
    with tenant("acme"):
        info = await bench.on_board(csar)
        instance = (await bench.lifecycle.create_instance(CreateAppInstanceRequest(app_d_id=str(info.app_d_id)))).value
        assert registered() == []
        await bench.lifecycle.instantiate(instance.id, InstantiateAppRequest())
        await until(lambda: registered() == [(instance.app_name, ("zone-harbour",))])
        request = TerminateAppRequest(termination_type=StopType.FORCEFUL)
        await bench.lifecycle.terminate(instance.id, request)
        await until(lambda: registered() == [])
    await bench.meo.shut_down()


async def test_a_host_that_the_configuration_does_not_name_any_more_is_registered_with_nothing(bench: Bench) -> None:
    bench.federation.systems["own"] = SystemInfo(system_name="north", system_provider="north", system_id="own")
    gone = PlatformReport(host="demolished", sequence=1, services=(offered("speech"),))
    await bench.store.commit(lambda tx: tx.put(bench.meo.records.reports, gone.host, gone))
    await bench.meo.start_up()
    await until(lambda: bool(bench.federation.resources))
    assert bench.federation.resources[-1][1].services == ()
    await bench.meo.shut_down()


async def test_a_registration_that_was_not_noted_is_taken_up_again(bench: Bench) -> None:
    bench.federation.systems["early"] = SystemInfo(system_name="north", system_provider="north", system_id="early")
    await bench.meo.start_up()
    await until(lambda: bool(bench.federation.resources))
    await bench.meo.shut_down()
    assert bench.federation.resources[-1][0] == "early"


async def test_a_manager_that_has_forgotten_the_system_is_told_anew(bench: Bench) -> None:
    await bench.meo.start_up()
    await until(lambda: bool(bench.federation.resources))
    bench.federation.systems.clear()
    await report(bench, "harbour", 1, offered("speech"))
    await until(lambda: len(bench.federation.resources) > 1)
    await bench.meo.shut_down()
    first, last = bench.federation.resources[0][0], bench.federation.resources[-1][0]
    assert first != last
    assert last in bench.federation.systems


async def test_an_orchestrator_stops_even_if_a_report_comes_at_that_moment(bench: Bench) -> None:
    await bench.meo.start_up()
    await until(lambda: bool(bench.federation.resources))
    await report(bench, "harbour", 1, offered("speech"))
    async with asyncio.timeout(SOON):
        await bench.meo.shut_down()
