"""What a name server is told of a policy leads every device where the policy says."""

from __future__ import annotations

import random
from ipaddress import ip_address

import pytest
from msgspec.structs import replace

from hanse.drivers.names_embedded.clients import device
from hanse.drivers.names_embedded.zones import Zones
from hanse.elements.mep.steering.choice import Asker, choose
from hanse.elements.mep.steering.devices import Devices
from hanse.elements.mep.steering.led import RULES_ORDER, name_of, owner_of, records_of
from hanse.model.place import Position, Zone
from hanse.refpoints.mm1.steering import Preference, SteeringPolicy, Target
from hanse.refpoints.mp2 import NameRecord

ZONES = [Zone(name=f"zone-{n}", position=Position(latitude=50.0 + n, longitude=9.0)) for n in range(3)]
TARGETS = tuple(Target(host=f"host-{n}", address=f"127.3.0.{n}", zone=zone) for n, zone in enumerate(ZONES))
NAME = "video.example.com"
POLICY = SteeringPolicy(name=NAME, targets=TARGETS, ttl=7)
ALICE = Asker("10.0.0.5", "alice", "zone-0", ZONES[0].position)
BOB = Asker("10.2.0.6", "bob", "zone-2", ZONES[2].position)
DEVICES = Devices([ALICE, BOB], Asker(zone="zone-1", position=ZONES[1].position))


def told(policy: SteeringPolicy, address: str, devices: Devices = DEVICES) -> list[str]:
    """What the embedded name server answers a device."""
    zones = Zones()
    zones.replace(owner_of(policy.name), records_of(policy, devices))
    place = zones.look(b"\x05video\x07example\x03com\0")
    chosen = place.choices.of(device(address)) if place else None
    return chosen.addresses(28 if ":" in address else 1) if chosen else []


def test_devices_at_two_places_are_told_two_hosts_and_a_stranger_that_of_its_platform() -> None:
    assert [told(POLICY, each) for each in (ALICE.address, BOB.address, "10.9.9.9")] == [
        ["127.3.0.0"],
        ["127.3.0.2"],
        ["127.3.0.1"],
    ]


def test_subnets_lead_strangers_and_known_devices_in_the_order_of_the_policy() -> None:
    policy = replace(
        POLICY,
        preferences=(
            Preference(to="host-2", subnets=("10.7.7.0/24",)),
            Preference(to="host-0", subnets=("10.0.0.0/8",), devices=("192.0.2.1", "bob")),
        ),
    )
    assert told(policy, "10.7.7.1") == ["127.3.0.2"]
    assert told(policy, "10.7.8.1") == told(policy, "192.0.2.1") == told(policy, BOB.address) == ["127.3.0.0"]
    assert told(policy, "192.0.2.2") == ["127.3.0.1"]


def test_what_everybody_gets_needs_no_record_for_each_device() -> None:
    one = replace(POLICY, targets=TARGETS[:1])
    [record] = records_of(one, DEVICES)
    assert record == NameRecord(
        record_id=f"policy:{NAME}.rest",
        owner=f"policy:{NAME}",
        name=NAME,
        address="127.3.0.0",
        ttl=7,
        order=1,
    )
    assert len(records_of(POLICY, DEVICES)) == 3


def test_a_policy_without_any_target_says_nothing_so_that_the_rules_of_apps_do() -> None:
    assert records_of(replace(POLICY, targets=()), DEVICES) == ()


def test_policies_come_before_the_rules_of_apps() -> None:
    many = tuple(Preference(to="host-0", subnets=("10.0.0.0/8",)) for _ in range(10_000))
    assert max(record.order for record in records_of(replace(POLICY, preferences=many), DEVICES)) < RULES_ORDER


def test_an_owner_tells_whether_it_is_a_policy() -> None:
    assert name_of(owner_of(NAME)) == NAME
    assert name_of("9d3f2c1a") is None


def _address(chance: random.Random) -> str:
    return f"10.{chance.randrange(3)}.{chance.randrange(2)}.{chance.randrange(4)}"


def _preference(chance: random.Random) -> Preference:
    subnets = [f"{ip_address(_address(chance))}/32", "10.0.0.0/8", "10.1.0.0/16", "10.2.1.0/24"]
    return Preference(
        to=f"host-{chance.randrange(4)}",
        devices=tuple(chance.sample(["device-0", "device-1", _address(chance)], chance.randrange(3))),
        subnets=tuple(chance.sample(subnets, chance.randrange(3))),
        zones=tuple(chance.sample([zone.name for zone in ZONES], chance.choice((0, 0, 1)))),
    )


@pytest.mark.parametrize("seed", range(60))
def test_the_name_server_answers_every_device_as_the_choice_is(seed: int) -> None:
    chance = random.Random(seed)
    zones = [chance.choice(ZONES) for _ in range(4)]
    known = [Asker(_address(chance), f"device-{n}", zone.name, zone.position) for n, zone in enumerate(zones)]
    devices = Devices(known, Asker(zone="zone-1", position=ZONES[1].position))
    policy = replace(
        POLICY,
        targets=tuple(chance.sample(TARGETS, chance.randrange(1, 4))),
        preferences=tuple(_preference(chance) for _ in range(chance.randrange(6))),
    )
    addresses = [each.address for each in known] + [_address(chance) for _ in range(40)] + ["192.0.2.7"]
    for address in addresses:
        target = choose(policy, devices.at(address))
        assert target is not None
        assert told(policy, address, devices) == [target.address], (address, policy)
