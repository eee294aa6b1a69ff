"""Apps find, and are told of, what other hosts of their system share; what is for its own host alone stays there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from hanse.elements.mep.service_management.index import ServiceIndex
from hanse.elements.mep.sharing import announcing, neighbours
from hanse.kit.contract.call import Caller, next_call, serving
from hanse.kit.contract.exchange import Exchange
from hanse.kit.problems import Problem, unreachable
from hanse.kit.store import Store
from hanse.refpoints.mp1.services import (
    AVAILABILITY_SUBSCRIPTION,
    AvailabilitySubscription,
    EndPointInfo,
    FilteringCriteria,
    LocalityType,
    ServiceInfo,
    ServiceQuery,
    ServiceState,
)
from hanse.refpoints.mp3.services import Announcement, SharedServices, SignOfLife
from tests.bounds import SOON
from tests.lateness import lateness
from tests.unit.elements.mep.parts import URL, Bench, configuration, nothing, service, transport

NAMED = ServiceQuery(ser_name=("speech",))
PATIENCE = 1.2
"""Seconds for tests of silence; so long a busy machine does not keep a platform from speaking."""


class Way(SharedServices):
    """The way of a platform to a neighbour: as that platform, and cut if told so."""

    def __init__(self, speaker: str) -> None:
        self._caller = Caller(role="mep", name=f"mep.{speaker}", operator="north")
        self.cut, self.heard = False, 0.0
        self.to: Bench | None = None
        self.announced: list[Announcement] = []

    async def alive(self, host: str, sign: SignOfLife) -> SignOfLife:
        there, self.heard = self._there(), time.monotonic()
        with serving(next_call(self._caller)):
            return await there.alive(host, sign)

    async def announce(self, host: str, announcement: Announcement) -> None:
        self.announced.append(announcement)
        with serving(next_call(self._caller)):
            await self._there().announce(host, announcement)

    def _there(self) -> SharedServices:
        if self.cut or self.to is None:
            raise unreachable("neighbour")
        return self.to.platform.neighbours


@dataclass
class Pair:
    """The platforms of two hosts of one system; consumers are at the harbour, producers at the airport."""

    way: Way = field(default_factory=lambda: Way("airport"))
    back: Way = field(default_factory=lambda: Way("harbour"))

    def __post_init__(self) -> None:
        self.harbour = Bench(neighbours={"airport": self.back})
        self.airport = Bench(host="airport", neighbours={"harbour": self.way})
        self.way.to, self.back.to = self.harbour, self.airport

    async def start(self) -> None:
        """Let both live."""
        for bench in (self.harbour, self.airport):
            await bench.outbox.start()
            await bench.platform.start_up()
        await self.airport.platform.configuration.configure("one", configuration("one", "speech", "inner"))
        await self.harbour.platform.configuration.configure("two", configuration("two", "speech"))

    async def stop(self) -> None:
        """End both."""
        for bench in (self.harbour, self.airport):
            await bench.platform.shut_down()
            await bench.outbox.close()
            bench.store.close()

    async def register(self, **changes: Any) -> ServiceInfo:
        """A service at the airport."""
        wanted = replace(service("speech"), **changes)
        return (await self.airport.platform.services.register_service("one", wanted)).value

    async def found(self, query: ServiceQuery = NAMED) -> list[ServiceInfo]:
        """What an app at the harbour finds."""
        return await self.harbour.platform.services.find_services(query)

    async def until_found(self, count: int) -> list[ServiceInfo]:
        """The same, once there are so many."""
        await until(lambda: len(self.harbour.platform.records.remote) == count)
        return await self.found()

    async def subscribe(self, **criteria: Any) -> None:
        """An app at the harbour wants to be told."""
        wanted = AvailabilitySubscription(
            subscription_type=AVAILABILITY_SUBSCRIPTION,
            callback_reference="http://127.9.0.100:8080/told",
            filtering_criteria=FilteringCriteria(**criteria),
        )
        await self.harbour.platform.services.subscribe_to_availability("two", wanted)

    async def told(self, count: int) -> list[tuple[str, str]]:
        """What it was told: changes and states."""
        await until(lambda: len(self.harbour.callbacks.posts) >= count)
        references = [body["serviceReferences"][0] for _, body in await self.harbour.posted()]
        return [(r["changeType"], r["state"]) for r in references]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture
async def pair(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pair]:
    monkeypatch.setattr(announcing, "SIGN_PERIOD", 0.05)
    monkeypatch.setattr(announcing, "GATHER", 0.005)
    monkeypatch.setattr(neighbours, "PATIENCE", 60.0)
    made = Pair()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def impatient(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """The same, of whom each soon takes the other for dead."""
    monkeypatch.setattr(neighbours, "PATIENCE", PATIENCE)
    return pair


async def test_a_shared_service_of_another_host_is_found_and_called_through_the_own_platform(pair: Pair) -> None:
    known = await pair.register()
    [found] = await pair.until_found(1)
    assert found.transport_info
    identifier = str(found.ser_instance_id)
    assert identifier != known.ser_instance_id
    assert found.transport_info.endpoint.uris == (f"{URL}/mec_remote_services/v1/services/{identifier}",)
    assert (await pair.harbour.platform.services.read_service(identifier)).value == found
    await pair.harbour.platform.remote.consume(identifier, "v1/text", Exchange("GET", "", {}, nothing()))
    assert pair.harbour.calls == [("mep.airport", str(known.ser_instance_id), "v1/text", "GET")]
    assert pair.harbour.manager.asked == []


async def test_what_may_be_consumed_locally_only_is_not_even_announced(pair: Pair) -> None:
    await pair.register(ser_name="inner", consumed_local_only=True, scope_of_locality=LocalityType.MEC_HOST)
    await pair.register()
    assert len(await pair.until_found(1)) == 1
    names = {s.ser_name for announcement in pair.way.announced for s in announcement.services}
    assert names == {"speech"}
    assert await pair.found(ServiceQuery(ser_name=("inner",))) == []


async def test_what_a_neighbour_should_not_have_announced_is_not_shown(pair: Pair) -> None:
    inner = replace(service("speech"), consumed_local_only=True, scope_of_locality=LocalityType.MEC_HOST)
    secret = replace(inner, ser_instance_id="s")
    await pair.way.announce("airport", Announcement(mark="m", services=(secret,)))
    assert await pair.found() == []


async def test_what_is_for_the_system_alone_is_found_at_all_its_hosts(pair: Pair) -> None:
    await pair.register(consumed_local_only=True, scope_of_locality=LocalityType.MEC_SYSTEM)
    [found] = await pair.until_found(1)
    assert (found.is_local, found.consumed_local_only) == (True, True)


async def test_a_service_that_is_made_local_again_is_gone_elsewhere(pair: Pair) -> None:
    known = await pair.register()
    await pair.until_found(1)
    inner = replace(service("speech"), consumed_local_only=True, scope_of_locality=LocalityType.MEC_HOST)
    await pair.airport.platform.services.replace_service("one", str(known.ser_instance_id), inner)
    assert await pair.until_found(0) == []


@pytest.mark.parametrize(("scope", "local"), [(LocalityType.MEC_SYSTEM, True), (LocalityType.MEC_HOST, False)])
async def test_a_service_of_another_host_is_local_only_if_its_scope_is_the_system(
    pair: Pair, scope: LocalityType, local: bool
) -> None:
    await pair.register(scope_of_locality=scope)
    [found] = await pair.until_found(1)
    assert found.is_local is local
    assert bool(await pair.found(ServiceQuery(ser_name=("speech",), is_local=True))) is local
    assert await pair.found(ServiceQuery(ser_name=("speech",), is_local=False)) == [found]


async def test_services_of_the_own_host_come_first(pair: Pair) -> None:
    await pair.register()
    await pair.until_found(1)
    own = (await pair.harbour.platform.services.register_service("two", service("speech"))).value
    first, second = await pair.found()
    assert first == own
    assert second.ser_instance_id != own.ser_instance_id
    assert (await pair.found(ServiceQuery()))[0] == own


async def test_after_those_of_the_own_host_the_nearest_come_first_also_after_a_restart() -> None:
    hosts = ["station", "airport", "stadium"]  # the nearest first, as the harbour's settings have it
    harbour = Bench(neighbours={host: Way("harbour") for host in hosts})
    await harbour.platform.configuration.configure("two", configuration("two", "speech"))
    for host in ("stadium", "station", "new", "airport"):
        way = Way(host)
        way.to = harbour
        shared = replace(service("speech"), ser_instance_id="s", version=host)
        await way.announce(host, Announcement(mark="m", services=(shared,)))
    own = (await harbour.platform.services.register_service("two", replace(service("speech"), version="own"))).value
    found = await harbour.platform.services.find_services(NAMED)
    assert found[0] == own
    assert [s.version for s in found[1:]] == [*hosts, "new"]
    again = ServiceIndex()
    platform = harbour.platform
    neighbours.Neighbours(URL, harbour.store, platform.records, platform.neighbours._notices, again, hosts)
    assert [s.version for s in again.answer(NAMED)] == [*hosts, "new"]
    harbour.store.close()


async def test_a_service_that_is_not_http_keeps_its_own_address(pair: Pair) -> None:
    bus = replace(transport(), endpoint=EndPointInfo(alternative={"topic": "speech"}))
    await pair.register(transport_info=bus)
    [found] = await pair.until_found(1)
    assert found.transport_info == bus


async def test_a_neighbours_heartbeats_are_none_of_our_apps_business(pair: Pair) -> None:
    await pair.register(liveness_interval=30)
    [found] = await pair.until_found(1)
    assert found.liveness_interval is msgspec.UNSET
    assert found.links
    assert found.links.liveness is msgspec.UNSET


async def test_apps_are_told_of_every_change_on_another_host(pair: Pair) -> None:
    await pair.subscribe(ser_names=("speech",))
    identifier = str((await pair.register()).ser_instance_id)
    await pair.told(1)
    idle = replace(service("speech"), state=ServiceState.INACTIVE)
    await pair.airport.platform.services.replace_service("one", identifier, idle)
    await pair.told(2)
    await pair.airport.platform.services.replace_service("one", identifier, replace(idle, version="2"))
    await pair.told(3)
    await pair.airport.platform.services.deregister_service("one", identifier)
    assert await pair.told(4) == [
        ("ADDED", "ACTIVE"),
        ("STATE_CHANGED", "INACTIVE"),
        ("ATTRIBUTES_CHANGED", "INACTIVE"),
        ("REMOVED", "INACTIVE"),
    ]


async def test_who_wants_news_of_local_services_gets_none_of_others(pair: Pair) -> None:
    await pair.subscribe(is_local=True)
    await pair.register(scope_of_locality=LocalityType.MEC_HOST)
    await pair.until_found(1)
    await pair.register()
    assert await pair.told(1) == [("ADDED", "ACTIVE")]


async def test_services_of_a_platform_that_falls_silent_are_gone_and_are_back_when_it_speaks_again(
    impatient: Pair,
) -> None:
    await impatient.subscribe(ser_names=("speech",))
    await impatient.register()
    [before] = await impatient.until_found(1)
    impatient.way.cut = True
    async with lateness() as late:
        assert await impatient.until_found(0) == []
        silent = time.monotonic() - impatient.way.heard
    assert PATIENCE < silent < PATIENCE + 0.5 + late.seconds
    with pytest.raises(Problem) as gone:
        await impatient.harbour.platform.services.read_service(str(before.ser_instance_id))
    assert gone.value.status == 404
    impatient.way.cut = False
    assert await impatient.until_found(1) == [before]
    assert await impatient.told(3) == [("ADDED", "ACTIVE"), ("REMOVED", "ACTIVE"), ("ADDED", "ACTIVE")]


async def test_a_platform_that_lives_is_not_forgotten_and_not_asked_to_repeat_itself(impatient: Pair) -> None:
    await impatient.register()
    await impatient.until_found(1)
    said = len(impatient.way.announced)
    await asyncio.sleep(PATIENCE * 2)
    assert len(await impatient.found()) == 1
    assert len(impatient.way.announced) == said


async def test_what_neighbours_share_is_known_again_after_a_restart(pair: Pair) -> None:
    await pair.register()
    [before] = await pair.until_found(1)
    again = ServiceIndex()
    platform = pair.harbour.platform
    neighbours.Neighbours(URL, pair.harbour.store, platform.records, platform.neighbours._notices, again, ["airport"])
    assert again.find(str(before.ser_instance_id)) == before


async def test_a_neighbour_that_died_while_we_did_is_forgotten_too(impatient: Pair) -> None:
    await impatient.register()
    await impatient.until_found(1)
    await impatient.harbour.platform.shut_down()
    impatient.way.cut = True
    await impatient.harbour.platform.start_up()
    assert await impatient.until_found(0) == []


async def test_a_neighbour_that_dies_while_the_whole_platform_is_away_is_forgotten_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "PATIENCE", PATIENCE)
    shared = replace(service("speech"), ser_instance_id="s")
    way = Way("airport")
    before = way.to = Bench(store=Store(tmp_path / "mep.db"), neighbours={"airport": Way("harbour")})
    await way.announce("airport", Announcement(mark="m", services=(shared,)))
    before.store.close()
    again = Bench(store=Store(tmp_path / "mep.db"), neighbours={"airport": Way("harbour")})
    assert len(await again.platform.services.find_services(NAMED)) == 1
    await again.platform.start_up()
    await until(lambda: not len(again.platform.records.remote))
    assert await again.platform.services.find_services(NAMED) == []
    await again.platform.shut_down()
    again.store.close()


async def test_services_of_a_neighbour_stay_in_the_order_in_which_they_came_whatever_it_says_next() -> None:
    harbour, way = Bench(neighbours={"airport": Way("harbour")}), Way("airport")
    way.to = harbour
    for said in ("ac", "abc", "bca"):
        services = tuple(replace(service("speech"), ser_instance_id=one, version=one) for one in said)
        await way.announce("airport", Announcement(mark=said, services=services))
    kept = harbour.platform.records.neighbours.get("airport")
    assert [remote.service.version for remote in kept.services.values()] == ["a", "c", "b"]
    harbour.store.close()


async def test_a_platform_speaks_for_its_own_host_only(pair: Pair) -> None:
    for call in (
        pair.way.alive("harbour", SignOfLife(mark="m")),
        pair.way.announce("harbour", Announcement(mark="m", services=())),
    ):
        with pytest.raises(Problem) as caught:
            await call
        assert caught.value.status == 403
        assert "only mep.harbour speaks for it" in str(caught.value.detail)


async def test_a_neighbour_that_is_away_keeps_no_other_waiting() -> None:
    cut, fine = Way("airport"), Way("airport")
    cut.cut = True
    harbour = Bench()
    fine.to = harbour
    airport = Bench(host="airport", neighbours={"station": cut, "harbour": fine})
    await airport.platform.start_up()
    await airport.platform.configuration.configure("one", configuration("one", "speech"))
    await airport.platform.services.register_service("one", service("speech"))
    await until(lambda: len(harbour.platform.records.remote) == 1)
    await airport.platform.shut_down()
    for bench in (airport, harbour):
        bench.store.close()
