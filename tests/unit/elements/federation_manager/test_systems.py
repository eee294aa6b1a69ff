"""A system is its own orchestrator's, has one id, and shows no more than the standard says (ETSI GS MEC 040, 7)."""

from __future__ import annotations

from typing import cast

import msgspec
import pytest

from hanse.elements.federation_manager.records import Records
from hanse.elements.federation_manager.systems import Systems
from hanse.kit.problems import Problem
from hanse.kit.store import Store
from hanse.refpoints.mfm_fed.members import SystemResources
from hanse.refpoints.mfm_fed.system_info import FederationEnablement, SystemInfo, SystemInfoUpdate, SystemQuery
from hanse.refpoints.mp1.services import EndPointInfo
from tests.unit.elements.federation_manager.parts import Bench, orchestrator

NORTH = SystemInfo(system_name="north", system_provider="north")


def systems(bench: Bench) -> FederationEnablement:
    return cast(FederationEnablement, bench.north.apis()[FederationEnablement])


async def registered(bench: Bench) -> str:
    with orchestrator():
        return str((await systems(bench).register_system(NORTH)).value.system_id)


async def test_a_registered_system_gets_an_id_and_is_found_by_it(bench: Bench) -> None:
    with orchestrator():
        made = await systems(bench).register_system(NORTH)
    identifier = str(made.value.system_id)
    assert made.location == f"https://north/fed_enablement/v1/fed_resources/system_info/{identifier}"
    assert await systems(bench).read_system(identifier) == made.value


@pytest.mark.parametrize(
    ("query", "count"),
    [({}, 1), ({"system_name": ("x", "north")}, 1), ({"system_name": ("north",), "system_provider": ("x",)}, 0)],
)
async def test_systems_are_found_by_all_that_is_asked(
    bench: Bench, query: dict[str, tuple[str, ...]], count: int
) -> None:
    await registered(bench)
    assert len(await systems(bench).list_systems(SystemQuery(**query))) == count


async def test_a_system_is_registered_once(bench: Bench) -> None:
    await registered(bench)
    with orchestrator(), pytest.raises(Problem, match="System is registered") as caught:
        await systems(bench).register_system(NORTH)
    assert caught.value.status == 403


@pytest.mark.parametrize(
    "wrong",
    [
        msgspec.structs.replace(NORTH, system_id="mine"),
        msgspec.structs.replace(NORTH, system_name=""),
        msgspec.structs.replace(NORTH, system_provider=""),
    ],
)
async def test_a_registration_with_an_id_or_without_a_name_is_refused(bench: Bench, wrong: SystemInfo) -> None:
    with orchestrator(), pytest.raises(Problem) as caught:
        await systems(bench).register_system(wrong)
    assert caught.value.status == 400


async def test_only_its_own_orchestrator_changes_or_removes_a_system(bench: Bench) -> None:
    identifier = await registered(bench)
    change = SystemInfoUpdate(system_name="other")
    nothing = SystemResources(zones=(), services=())
    with orchestrator("meo.other"):
        for call in (
            systems(bench).update_system(identifier, change),
            systems(bench).deregister_system(identifier),
            bench.north.register_resources(identifier, nothing),
        ):
            with pytest.raises(Problem, match="Not yours") as caught:
                await call
            assert caught.value.status == 403
    with orchestrator():
        assert (await systems(bench).update_system(identifier, change)).system_name == "other"
        await systems(bench).deregister_system(identifier)
        with pytest.raises(Problem) as caught:
            await bench.north.register_resources(identifier, nothing)
        assert caught.value.status == 404
    with pytest.raises(Problem) as caught:
        await systems(bench).read_system(identifier)
    assert caught.value.status == 404


async def test_an_endpoint_is_kept_and_never_shown(bench: Bench) -> None:
    identifier = await registered(bench)
    with orchestrator():
        change = SystemInfoUpdate(endpoint=EndPointInfo(uris=("https://secret",)))
        told = await systems(bench).update_system(identifier, change)
    assert b"secret" not in msgspec.json.encode([told, *await systems(bench).list_systems(SystemQuery())])


@pytest.mark.parametrize("change", [SystemInfoUpdate(), SystemInfoUpdate(endpoint=EndPointInfo())])
async def test_a_change_of_nothing_is_refused(bench: Bench, change: SystemInfoUpdate) -> None:
    identifier = await registered(bench)
    with orchestrator(), pytest.raises(Problem) as caught:
        await systems(bench).update_system(identifier, change)
    assert caught.value.status == 400


async def test_a_partner_cannot_put_itself_in_the_place_of_a_system_registered_here() -> None:
    store = Store()
    liar: list[SystemInfo] = []
    registry = Systems("https://north", store, Records(store), lambda: liar)
    with orchestrator():
        own = (await registry.register_system(NORTH)).value
    liar.append(msgspec.structs.replace(own, system_name="liar"))
    assert (await registry.read_system(str(own.system_id))) == own
    store.close()
