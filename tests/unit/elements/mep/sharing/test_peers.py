"""A service is looked for at the place of the device that the app serves, never at that of another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from hanse.elements.mep.records import NeighbourRecord
from hanse.elements.mep.sharing.peers import only_place, read_peer
from hanse.kit.problems import Problem, unreachable
from hanse.kit.store import Transaction
from hanse.model.place import Position
from hanse.refpoints.mp1.services import ServiceQuery
from hanse.refpoints.mp2 import Flow
from hanse.refpoints.mp3.services import SharedFlows
from tests.unit.elements.mep.parts import DEVICES, Bench, app

WANTED = ServiceQuery(ser_name=("speech",))
OWN, ALICE, BOB = (53.0, 9.0), (54.0, 10.0), (51.0, 12.0)
AT_ALICE, AT_BOB, STRANGER = "127.9.100.5", "127.9.100.6", "127.9.100.9"
PLANE = "127.9.0.2"


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench(devices=DEVICES)
    yield made
    made.store.close()


def flow(source: str, port: int, rule: str = "one.in") -> Flow:
    """A flow of a device that the app sees as coming from the data plane."""
    return Flow(
        rule_id=rule,
        protocol="tcp",
        src_address=source,
        src_port=40000,
        dst_address="127.9.1.1",
        dst_port=80,
        peer_address=PLANE,
        peer_port=port,
    )


async def asked_at(bench: Bench, peer: str = "", who: str = "one") -> tuple[object, object]:
    """Where the federation was asked for a service when an app asked for it."""
    with app(who, peer=peer):
        await bench.platform.services.find_services(WANTED)
    return bench.manager.asked[-1].latitude, bench.manager.asked[-1].longitude


async def test_each_of_two_devices_at_a_time_gets_what_is_right_for_its_own_place(bench: Bench) -> None:
    bench.plane.passing = [flow(AT_ALICE, 5001), flow(AT_BOB, 5002)]
    for _ in range(3):
        assert await asked_at(bench, f"{PLANE}:5001") == ALICE
        assert await asked_at(bench, f"{PLANE}:5002") == BOB


async def test_calls_for_two_devices_that_overlap_are_not_mixed_up(bench: Bench) -> None:
    bench.plane.passing = [flow(AT_ALICE, 5001), flow(AT_BOB, 5002)]

    async def ask(port: int) -> None:
        with app("one", peer=f"{PLANE}:{port}"):
            await asyncio.sleep(0)
            await bench.platform.services.find_services(WANTED)

    await asyncio.gather(*(ask(5001 + n % 2) for n in range(40)))
    places = [(wanted.latitude, wanted.longitude) for wanted in bench.manager.asked]
    assert places.count(ALICE) == places.count(BOB) == 20


async def test_an_app_cannot_act_for_a_device_of_another_app_nor_learn_that_it_is_there(bench: Bench) -> None:
    bench.plane.passing = [flow(AT_ALICE, 5001, "two.in"), flow(AT_BOB, 5002)]
    said = []
    for peer in (f"{PLANE}:5001", f"{PLANE}:5999", f"{AT_ALICE}:40000"):
        with pytest.raises(Problem) as caught:
            await asked_at(bench, peer)
        assert caught.value.status == 403
        said.append((caught.value.title, caught.value.detail))
    assert len(set(said)) == 1
    assert "hanse-peer" in said[0][0]
    assert bench.manager.asked == []


@pytest.mark.parametrize(
    "peer", ["alice", "127.9.0.2", "127.9.0.2:", "127.9.0.2:0", "127.9.0.2:65536", "127.9.0:80", "::1:80", "[::1]",
             "[127.9.0.2]:80", "127.9.0.2:-1", "127.9.0.2:٣"],
)  # fmt: skip
async def test_a_peer_that_cannot_be_read_is_refused_with_the_name_of_the_header(bench: Bench, peer: str) -> None:
    with pytest.raises(Problem, match="hanse-peer") as caught:
        await asked_at(bench, peer)
    assert caught.value.status == 400


def test_a_peer_is_read_in_both_families() -> None:
    assert read_peer(" 192.0.2.7:49152 ") == ("192.0.2.7", 49152)
    assert read_peer("[2001:DB8:0::7]:1") == ("2001:db8::7", 1)


async def test_without_a_word_the_only_device_counts_however_many_connections_it_has(bench: Bench) -> None:
    bench.plane.passing = [flow(AT_BOB, 5003, "two.in"), flow(AT_ALICE, 5001), flow(AT_ALICE, 5002)]
    assert await asked_at(bench) == ALICE


async def test_without_a_word_no_device_is_guessed_among_several_places(bench: Bench) -> None:
    bench.plane.passing = [flow(AT_ALICE, 5001), flow(AT_BOB, 5002)]
    assert await asked_at(bench) == OWN


async def test_without_devices_the_place_of_the_platform_counts(bench: Bench) -> None:
    assert await asked_at(bench) == OWN


async def test_a_device_whose_place_nobody_knows_counts_as_near_its_platform(bench: Bench) -> None:
    bench.plane.passing = [flow(STRANGER, 5001), flow(AT_ALICE, 5002)]
    assert await asked_at(bench, f"{PLANE}:5001") == OWN
    assert await asked_at(bench, f"{PLANE}:5002") == ALICE
    assert await asked_at(bench) == OWN


async def test_an_id_that_begins_like_another_is_another_app(bench: Bench) -> None:
    bench.plane.passing = [flow(AT_BOB, 5001, "one-more.in"), flow(AT_ALICE, 5001, "one.more.in")]
    assert await asked_at(bench) == ALICE  # of "one", by its rule "more.in"
    bench.plane.passing = bench.plane.passing[:1]
    assert await asked_at(bench) == OWN


def test_devices_at_one_place_are_no_conflict() -> None:
    here, there = Position(latitude=1.0, longitude=2.0), Position(latitude=3.0, longitude=4.0)
    assert only_place([here, here], there) == here
    assert only_place([here, there], there) == there
    assert only_place([], there) == there


class Elsewhere(SharedFlows):
    """Another host's flows, or none of its answers."""

    def __init__(self, *flows: Flow, away: bool = False) -> None:
        self.flows, self.away = list(flows), away

    async def flows_to(self, app_instance_id: str) -> list[Flow]:
        if self.away:
            raise unreachable("mep.airport")
        return [f for f in self.flows if f.rule_id == f"!{app_instance_id}.in"]


async def living(**others: Elsewhere) -> Bench:
    """A platform with neighbours that live."""
    made = Bench(devices=DEVICES, flows=dict(others))
    for host in others:
        record = NeighbourRecord(host=host, mark="1", services={})
        await made.store.commit(partial(_put, made, record))
    return made


def _put(bench: Bench, record: NeighbourRecord, tx: Transaction) -> None:
    tx.put(bench.platform.records.neighbours, record.host, record)


async def test_a_device_whom_another_host_led_here_counts_like_one_of_this_host() -> None:
    bob = flow(AT_BOB, 5001, "!one.in")
    bench = await living(airport=Elsewhere(away=True), valley=Elsewhere(bob))
    assert await asked_at(bench, f"{PLANE}:5001") == BOB
    assert await asked_at(bench) == BOB
    bench.plane.passing = [flow(AT_ALICE, 5002)]
    assert await asked_at(bench, f"{PLANE}:5002") == ALICE
    assert await asked_at(bench) == OWN
    with pytest.raises(Problem):
        await asked_at(bench, f"{PLANE}:5001", who="two")
    bench.store.close()


async def test_a_host_whose_platform_is_dead_is_not_waited_for() -> None:
    bench = await living()
    bench.platform._neighbours_flows = {"airport": Elsewhere(flow(AT_BOB, 5001, "!one.in"))}
    with pytest.raises(Problem):
        await asked_at(bench, f"{PLANE}:5001")
    bench.store.close()


async def test_neighbours_are_told_of_flows_to_their_own_app_only(bench: Bench) -> None:
    bench.plane.passing = [flow(AT_ALICE, 1, "!one.in"), flow(AT_ALICE, 2, "one.in"), flow(AT_BOB, 3, "two.in")]
    assert [f.peer_port for f in await bench.platform.flows.flows_to("one")] == [1, 2]
