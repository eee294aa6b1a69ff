"""Which instance a device is led to that dials an address which several hosts have."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from hanse.elements.mep.steering.anycast import Instance, foreign, groups, instance_of, led
from hanse.elements.mep.steering.choice import Asker
from hanse.elements.mep.steering.devices import Devices
from hanse.kit.values import ABSENT
from hanse.model.place import Position, Zone
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, TrafficMatch
from hanse.refpoints.mp3.services import SharedRule

ZONES = {
    "harbour": Zone(name="coast", position=Position(latitude=54.0, longitude=10.0)),
    "airport": Zone(name="inland", position=Position(latitude=53.5, longitude=10.0)),
    "valley": Zone(name="south", position=Position(latitude=51.0, longitude=7.0)),
}
ALICE, BOB, CAROL, STRANGER = "127.9.100.5", "127.9.100.6", "127.9.100.7", "127.9.100.99"
KNOWN = [
    Asker(ALICE, "alice", "coast", ZONES["valley"].position),  # served at the coast, wherever she is
    Asker(BOB, "bob", "inland", ZONES["airport"].position),
    Asker(CAROL, "carol", "south", ZONES["valley"].position),
]
ALL = "127.9.100.0/24"


def instance(host: str, package: str = "d", name: str = "in", **match: object) -> Instance:
    values = {"src_address": (ALL,), "dst_address": ("127.9.200.1",), "dst_port": ("80",), "protocol": ("tcp",)} | match
    forwarding = Forwarding(
        rule_id=f"of-{host}.{name}",
        owner=f"of-{host}",
        priority=10,
        filter_type=FilterType.FLOW,
        matches=(TrafficMatch(**values),),  # type: ignore[arg-type]
        action=Action.FORWARD_DECAPSULATED,
        to_address=f"app at {host}",
    )
    return Instance(host, SharedRule(app_d_id=package, traffic_rule_id=name, forwarding=forwarding))


def whereto(here: str, source: str, *hosts: str, common: bool = False) -> str:
    """The host of the instance that a device reaches at the data plane of ``here``, as a data plane asks its rules."""
    asker = Asker(zone=ZONES[here].name, position=ZONES[here].position)
    rules = list(led([instance(h) for h in hosts], here, ZONES, Devices(KNOWN, asker), common))
    for rule in sorted(rules, key=lambda r: (r.priority, r.rule_id)):
        for match in rule.matches:
            if match.src_address == (ALL,) or source in (match.src_address or ()):
                return str(rule.to_address).removeprefix("app at ")
    return ""


@pytest.mark.parametrize("common", [True, False])
@pytest.mark.parametrize("here", ["harbour", "airport"])
def test_devices_go_to_the_instance_of_the_host_that_serves_them(here: str, common: bool) -> None:
    both = ("harbour", "airport")
    assert whereto(here, ALICE, *both, common=common) == "harbour"
    assert whereto(here, BOB, *both, common=common) == "airport"
    assert whereto(here, CAROL, *both, common=common) == "airport"  # has none at home: the nearest to her
    assert whereto(here, STRANGER, *both, common=common) == here


def test_devices_of_a_host_without_the_app_go_to_the_nearest_that_has_it() -> None:
    assert whereto("harbour", ALICE, "airport", "valley") == "valley"
    assert whereto("harbour", BOB, "airport", "valley") == "airport"
    assert whereto("harbour", STRANGER, "airport", "valley") == "airport"


def test_an_instance_that_is_gone_is_passed_over_and_another_serves_its_devices() -> None:
    assert whereto("harbour", ALICE, "harbour", "airport") == "harbour"
    assert whereto("harbour", ALICE, "airport") == "airport"
    assert whereto("airport", ALICE, "airport") == "airport"
    assert whereto("harbour", ALICE) == ""


def test_where_all_devices_meet_every_data_plane_only_those_with_an_instance_lead() -> None:
    assert whereto("harbour", ALICE, "airport", common=True) == ""
    assert whereto("airport", ALICE, "airport", common=True) == "airport"


def test_an_app_on_one_host_keeps_its_rules_as_they_are() -> None:
    alone = instance("harbour")
    assert list(led([alone], "harbour", ZONES, Devices(KNOWN), False)) == [alone.rule.forwarding]


def test_two_instances_on_one_host_keep_both_their_rules() -> None:
    one = instance("harbour")
    other = Instance("harbour", replace(one.rule, forwarding=replace(one.rule.forwarding, rule_id="b.in", owner="b")))
    rules = list(led([one, other, instance("airport")], "harbour", ZONES, Devices(KNOWN), True))
    assert [r.rule_id for r in rules] == ["!of-airport.in", "of-harbour.in", "b.in"]


def test_nobody_is_let_in_whom_the_filter_of_the_app_refuses() -> None:
    narrow = [instance(h, src_address=(f"{ALICE}-{ALICE}",)) for h in ("harbour", "airport")]
    assert [r.rule_id for r in led(narrow, "harbour", ZONES, Devices(KNOWN), True)] == ["of-harbour.in"]
    at_airport = list(led(narrow, "airport", ZONES, Devices(KNOWN), True))
    assert [(r.rule_id, r.matches[0].src_address) for r in at_airport] == [
        ("!of-harbour.in", (ALICE,)),
        ("of-airport.in", (f"{ALICE}-{ALICE}",)),
    ]


def test_a_filter_for_everybody_is_narrowed_to_the_devices_of_the_other_host() -> None:
    everybody = [instance(h, src_address=ABSENT) for h in ("harbour", "airport")]
    first = next(iter(led(everybody, "harbour", ZONES, Devices(KNOWN), True)))
    assert (first.rule_id, first.matches[0].src_address) == ("!of-airport.in", (BOB, CAROL))


def test_only_the_same_rule_of_the_same_package_with_the_same_claim_stands_for_another() -> None:
    first = instance("harbour")
    others = [
        instance("airport", package="e"),
        instance("airport", name="out"),
        instance("airport", dst_port=("81",)),
        instance("airport", dst_address=("127.9.200.2",)),
    ]
    assert [len(group) for group in groups([first, *others])] == [1] * 5
    assert [len(group) for group in groups([first, instance("airport", src_address=(ALICE,))])] == [2]
    assert [len(group) for group in groups([first, instance("airport", protocol=("6",))])] == [2]


def test_an_address_that_another_app_claims_is_not_shared_with_it() -> None:
    mine = instance("harbour").rule
    assert foreign(mine.forwarding, [instance("airport", package="e").rule], "d")
    assert not foreign(mine.forwarding, [instance("airport").rule], "d")
    assert not foreign(mine.forwarding, [instance("airport", package="e", dst_port=("81",)).rule], "d")
    assert foreign(mine.forwarding, [instance("airport", package="e", protocol=("6",)).rule], "d")
    assert not foreign(mine.forwarding, [instance("airport", package="e", protocol=("17",)).rule], "d")


def test_the_instance_behind_a_rule_is_found_wherever_it_is_carried_out() -> None:
    assert [instance_of(r) for r in ("!of-airport.in", "of-airport.in.2")] == ["of-airport"] * 2
