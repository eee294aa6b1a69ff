"""Instances of one app on two hosts share its virtual address, as both come and go."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from hanse.elements.mep.sharing import neighbours
from hanse.elements.mep.steering.choice import Asker
from hanse.elements.mep.steering.devices import Devices
from hanse.model.place import Position, Zone
from hanse.refpoints.mp1.support import RuleState
from tests.unit.elements.mep.parts import Bench, configuration
from tests.unit.elements.mep.sharing.test_neighbours import Way, until

ZONES = {
    "harbour": Zone(name="coast", position=Position(latitude=54.0, longitude=10.0)),
    "airport": Zone(name="inland", position=Position(latitude=53.0, longitude=10.0)),
}
ALICE, BOB = "127.9.100.5", "127.9.100.6"


def devices(here: str) -> Devices:
    known = [
        Asker(ALICE, "alice", "coast", ZONES["harbour"].position),
        Asker(BOB, "bob", "inland", ZONES["airport"].position),
    ]
    return Devices(known, Asker(zone=ZONES[here].name, position=ZONES[here].position))


class Pair:
    """The platforms of two hosts of one system, each with its own data plane."""

    def __init__(self, common: bool) -> None:
        self.way, self.back = Way("airport"), Way("harbour")
        self.harbour = Bench(neighbours={"airport": self.back}, zones=ZONES, devices=devices("harbour"))
        self.airport = Bench(host="airport", neighbours={"harbour": self.way}, zones=ZONES, devices=devices("airport"))
        self.way.to, self.back.to = self.harbour, self.airport
        for bench in (self.harbour, self.airport):
            bench.plane.common = common

    async def __aenter__(self) -> Pair:
        for bench in (self.harbour, self.airport):
            await bench.outbox.start()
            await bench.platform.start_up()
        return self

    async def __aexit__(self, *_: object) -> None:
        for bench in (self.harbour, self.airport):
            await bench.platform.shut_down()
            await bench.outbox.close()
            bench.store.close()

    async def until_led(self, harbour: dict[str, str], airport: dict[str, str]) -> None:
        """Wait until the data planes have these rules: sources by the addresses of the instances they lead to."""
        await until(lambda: [led(self.harbour), led(self.airport)] == [harbour, airport])


def led(bench: Bench) -> dict[str, str]:
    rules = sorted(bench.plane.rules.values(), key=lambda rule: rule.rule_id)
    return {str(rule.to_address): " ".join(rule.matches[0].src_address or ("all",)) for rule in rules}


async def run(bench: Bench, name: str, address: str, package: str = "d") -> None:
    """An instance that is ready."""
    app = replace(configuration(name), address=address, app_d_id=package)
    await bench.platform.configuration.configure(name, app)
    await bench.platform.configuration.activate(name)


QUAY, GATE = "127.9.0.100", "127.9.1.100"


@pytest.fixture(params=[True, False], ids=["one network", "a network each"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    async with Pair(common=request.param) as made:
        yield made


async def test_each_device_is_led_to_its_own_host_and_to_the_other_when_that_ends(pair: Pair) -> None:
    await run(pair.harbour, "one", QUAY)
    await run(pair.airport, "two", GATE)
    await pair.until_led({QUAY: "all", GATE: BOB}, {GATE: "all", QUAY: ALICE})
    await pair.harbour.platform.configuration.deactivate("one")
    common = pair.harbour.plane.common
    await pair.until_led({} if common else {GATE: "all"}, {GATE: "all"})
    await pair.harbour.platform.configuration.activate("one")
    await pair.until_led({QUAY: "all", GATE: BOB}, {GATE: "all", QUAY: ALICE})
    await pair.airport.platform.configuration.forget("two")
    await pair.until_led({QUAY: "all"}, {} if common else {QUAY: "all"})
    await pair.harbour.platform.configuration.forget("one")
    await pair.until_led({}, {})


async def test_a_rule_that_an_app_switches_off_ends_its_share_of_the_address(pair: Pair) -> None:
    await run(pair.harbour, "one", QUAY)
    await run(pair.airport, "two", GATE)
    await pair.until_led({QUAY: "all", GATE: BOB}, {GATE: "all", QUAY: ALICE})
    [rule] = await pair.harbour.platform.support.list_traffic_rules("one")
    await pair.harbour.platform.support.update_traffic_rule("one", "in", replace(rule, state=RuleState.INACTIVE))
    await pair.until_led({} if pair.harbour.plane.common else {GATE: "all"}, {GATE: "all"})


async def test_devices_of_a_host_whose_platform_dies_are_led_to_the_other(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "PATIENCE", 0.3)
    await run(pair.harbour, "one", QUAY)
    await run(pair.airport, "two", GATE)
    await pair.until_led({QUAY: "all", GATE: BOB}, {GATE: "all", QUAY: ALICE})
    pair.way.cut = True
    await until(lambda: led(pair.harbour) == {QUAY: "all"})
    pair.way.cut = False
    await pair.until_led({QUAY: "all", GATE: BOB}, {GATE: "all", QUAY: ALICE})


async def test_what_a_restarted_data_plane_has_lost_of_another_host_comes_back(pair: Pair) -> None:
    await run(pair.harbour, "one", QUAY)
    await run(pair.airport, "two", GATE)
    await pair.until_led({QUAY: "all", GATE: BOB}, {GATE: "all", QUAY: ALICE})
    pair.harbour.plane.rules.clear()
    await pair.harbour.platform.steering.restore()
    assert led(pair.harbour) == {QUAY: "all", GATE: BOB}


async def test_an_address_of_another_app_is_not_shared_with_it(pair: Pair) -> None:
    await run(pair.harbour, "one", QUAY)
    await until(lambda: any(record.rules for record in pair.airport.platform.records.neighbours.values()))
    assert shared(pair.harbour) == {"one": True}
    await run(pair.airport, "two", GATE, package="e")
    assert shared(pair.airport)["two"] is False
    await until(lambda: [shared(pair.harbour), shared(pair.airport)] == [{"one": False}, {"two": False}])


def shared(bench: Bench) -> dict[str, bool]:
    return {rule.owner: rule.shared for rule in bench.plane.rules.values()}


async def test_an_instance_cannot_be_spoken_for_by_another_host(pair: Pair) -> None:
    await run(pair.harbour, "one", QUAY)
    stolen = replace(configuration("one"), address=GATE)
    await pair.airport.platform.configuration.configure("one", stolen)
    await pair.airport.platform.configuration.activate("one")
    await until(lambda: any(record.rules for record in pair.harbour.platform.records.neighbours.values()))
    await pair.harbour.platform.steering.restore()
    assert led(pair.harbour) == {QUAY: "all"}
