"""An agreement holds while neither side has closed it, and each side knows (ETSI GR MEC 035, 6.3.2 and 6.5.2)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from hanse.elements.federation_manager import partners
from hanse.elements.federation_manager.partners import LARGEST_TOLD, MOST_TOLD, told
from hanse.kit.contract.call import continuing
from hanse.kit.problems import Problem
from hanse.kit.store import Store
from hanse.kit.values import ABSENT
from hanse.model.place import Position, Zone
from hanse.refpoints.mff_fed.federation import FederationTerms, OfferedSystem
from hanse.refpoints.mfm_fed.members import (
    MemberQuery,
    PartnerState,
    RegisteredService,
    SystemResources,
    ZoneResources,
)
from hanse.refpoints.mfm_fed.system_info import FederationEnablement, SystemInfo, SystemQuery
from tests.unit.elements.federation_manager.parts import Bench, orchestrator, partner_of, reaches

AVAILABLE, CLOSED = PartnerState.AVAILABLE, PartnerState.CLOSED
ZONE = Zone(name="z", position=Position(latitude=50.0, longitude=7.0))
RESOURCES = SystemResources(
    zones=(ZoneResources(zone=ZONE, memory=1, cpu_milli=1, network="IPv4"),),
    services=(RegisteredService(ser_name="speech", version="1", app_name="ear"),),
)


async def speaking_south(bench: Bench) -> str:
    """South has a system that offers speech."""
    systems = bench.south.apis()[FederationEnablement]
    with orchestrator():
        made = await systems.register_system(  # type: ignore[attr-defined]
            SystemInfo(system_name="south", system_provider="south")
        )
        identifier = str(made.value.system_id)
        await bench.south.register_resources(identifier, RESOURCES)
    return identifier


async def test_two_managers_find_each_other_available(bench: Bench) -> None:
    assert (await partner_of(bench.north)).state is PartnerState.FORMING
    await bench.start()
    await bench.both(AVAILABLE)
    assert (await partner_of(bench.north)).epoch == 1


async def test_a_partner_that_does_not_answer_is_a_passing_failure_with_its_reason(bench: Bench) -> None:
    bench.to_south.cut = True
    await bench.start()
    partner = await reaches(bench.north, PartnerState.TEMPORARY_FAILURE)
    assert "cannot be reached" in partner.detail
    assert partner.open
    bench.to_south.cut = False
    assert (await reaches(bench.north, AVAILABLE)).detail == ""


@pytest.mark.parametrize(
    "error", [Problem(502, "south answered nonsense", "Expected object"), ValueError("x"), RecursionError()]
)
async def test_a_partner_that_answers_nonsense_does_not_end_the_signs_of_life(bench: Bench, error: Exception) -> None:
    bench.to_south.error = error
    await bench.start()
    await reaches(bench.north, PartnerState.TEMPORARY_FAILURE)
    bench.to_south.error = None
    await reaches(bench.north, AVAILABLE)


async def test_closed_by_one_side_it_is_closed_on_both_and_each_counts_it(bench: Bench) -> None:
    await bench.start()
    await bench.both(AVAILABLE)
    await bench.north.close_agreement("south")
    await bench.both(CLOSED)
    for manager in (bench.north, bench.south):
        partner = await partner_of(manager)
        assert (partner.open, partner.epoch) == (False, 2)
    await bench.north.open_agreement("south")
    await bench.both(AVAILABLE)
    assert (await partner_of(bench.south)).epoch == 2


@pytest.mark.parametrize("opener", ["north", "south"])
async def test_an_agreement_just_opened_is_no_failure_while_the_border_there_has_not_heard_of_it(
    bench: Bench, opener: str
) -> None:
    await bench.start()
    await bench.both(AVAILABLE)
    manager, partner, line = {
        "north": (bench.north, "south", bench.to_south),
        "south": (bench.south, "north", bench.to_north),
    }[opener]
    await manager.close_agreement(partner)
    await bench.both(CLOSED)
    bench.to_south.unheard = bench.to_north.unheard = 3
    opening = asyncio.create_task(manager.open_agreement(partner))
    seen = set()
    while line.unheard or not opening.done():
        seen |= {(await partner_of(side)).state for side in (bench.north, bench.south)}
        await asyncio.sleep(0.005)
    await opening
    assert (await partner_of(manager)).state is AVAILABLE
    await bench.both(AVAILABLE)
    assert PartnerState.FORMING in seen
    assert PartnerState.TEMPORARY_FAILURE not in seen


async def test_a_border_that_goes_on_refusing_is_a_failure(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partners, "SETTLING", 0.2)
    bench.to_south.unheard = 10**6
    await bench.start()
    assert "not open" in (await reaches(bench.north, PartnerState.TEMPORARY_FAILURE)).detail


async def test_a_partner_that_is_away_when_the_agreement_is_opened_is_not_said_to_be_there(bench: Bench) -> None:
    await bench.start()
    await bench.both(AVAILABLE)
    await bench.north.close_agreement("south")
    bench.to_south.cut = True
    await bench.north.open_agreement("south")
    assert (await partner_of(bench.north)).state is PartnerState.TEMPORARY_FAILURE


async def test_closed_by_both_it_opens_only_when_both_open_it(bench: Bench) -> None:
    await bench.start()
    await bench.both(AVAILABLE)
    await bench.north.close_agreement("south")
    await bench.south.close_agreement("north")
    await bench.north.open_agreement("south")
    assert not (await partner_of(bench.south)).open
    await bench.south.open_agreement("north")
    await bench.both(AVAILABLE)
    assert (await partner_of(bench.north)).epoch == 2


async def test_a_partner_that_could_not_be_told_of_the_end_learns_it_from_the_answer(bench: Bench) -> None:
    await bench.start()
    await bench.both(AVAILABLE)
    bench.to_south.cut = True
    await bench.north.close_agreement("south")
    south = await reaches(bench.south, CLOSED)
    assert south.epoch == 2
    bench.to_south.cut = False
    await bench.north.open_agreement("south")
    await bench.both(AVAILABLE)


async def test_an_end_outlives_a_restart(bench: Bench, tmp_path: Path) -> None:
    for _ in range(2):
        store = Store(tmp_path / "manager.sqlite")
        manager = bench.manager("north", "south", bench.to_south, store)
        if (await partner_of(manager)).state is PartnerState.FORMING:
            await manager.close_agreement("south")
        assert (await partner_of(manager)).state is CLOSED
        assert (await partner_of(manager)).epoch == 2
        store.close()


async def test_an_unknown_partner_is_not_found(bench: Bench) -> None:
    for call in (bench.north.close_agreement("east"), bench.north.open_agreement("east")):
        with pytest.raises(Problem, match="No such partner") as caught:
            await call
        assert caught.value.status == 404


async def test_a_partner_cannot_form_a_federation_in_anothers_name(bench: Bench) -> None:
    with continuing(tenant="south"), pytest.raises(Problem, match="operator") as caught:
        await bench.north.form(FederationTerms(operator="east"))
    assert caught.value.status == 400


async def test_a_partner_cannot_fill_a_manager_with_systems(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    small = OfferedSystem(system_id="s", system_name="n", system_provider="p")
    large = replace(small, system_name="x" * LARGEST_TOLD)
    many = [large, *(replace(small, system_id=str(number)) for number in range(3 * MOST_TOLD))]
    assert told(many) == tuple(many[1 : MOST_TOLD + 1])

    async def tells(_query: MemberQuery) -> list[OfferedSystem]:
        return many

    await bench.start()
    await bench.both(AVAILABLE)
    monkeypatch.setattr(bench.south, "offered_systems", tells)
    assert len(await bench.north.find_members(MemberQuery(ser_name=("speech",)))) == MOST_TOLD


async def test_members_are_those_that_offer_the_service_now(bench: Bench) -> None:
    identifier = await speaking_south(bench)
    await bench.start()
    await bench.both(AVAILABLE)
    [member] = await bench.north.find_members(MemberQuery(ser_name=("speech",)))
    assert (member.system_id, member.partner) == (identifier, "south")
    assert await bench.north.find_members(MemberQuery(ser_name=("other",))) == []
    bench.to_south.cut = True
    assert await bench.north.find_members(MemberQuery(ser_name=("speech",))) == []


async def test_while_the_agreement_is_closed_the_partner_has_no_members(bench: Bench) -> None:
    await speaking_south(bench)
    await bench.start()
    await bench.both(AVAILABLE)
    everything = SystemQuery()
    systems = bench.north.apis()[FederationEnablement]
    listed = await systems.list_systems(everything)  # type: ignore[attr-defined]
    assert [system.system_name for system in listed] == ["south"]
    await bench.north.close_agreement("south")
    assert await bench.north.find_members(MemberQuery(ser_name=("speech",))) == []
    assert await systems.list_systems(everything) == []  # type: ignore[attr-defined]


async def test_all_systems_are_offered_if_none_is_named(bench: Bench) -> None:
    identifier = await speaking_south(bench)
    [offered] = await bench.south.offered_systems(MemberQuery(ser_name=ABSENT))
    assert (offered.system_id, offered.system_provider) == (identifier, "south")
