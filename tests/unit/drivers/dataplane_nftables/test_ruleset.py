"""What the kernel is told when rules change: the difference, and nothing of other rules."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hanse.drivers.dataplane_nftables.frames import Hooks
from hanse.drivers.dataplane_nftables.rules import Rule, read_rule
from hanse.drivers.dataplane_nftables.ruleset import Ruleset
from hanse.drivers.dataplane_nftables.ways import Surroundings
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, Ethernet, FilterType, Forwarding, TrafficMatch

HOOKS = Hooks(("acc0",), "apps0")
HERE = Surroundings({"cells": "acc0"})

TO_MAC = {"to_address": ABSENT, "to_port": ABSENT, "to_mac": Ethernet(dst_address="02:00:00:00:00:01")}


def forwarding(n: int, **changes: Any) -> Forwarding:
    match = TrafficMatch(dst_address=(f"10.66.0.{n}",), dst_port=("80",), protocol=("tcp",))
    values: dict[str, Any] = {
        "priority": 5,
        "filter_type": FilterType.FLOW,
        "matches": (match,),
        "to_address": "10.65.1.3",
    }
    values |= {"action": Action.FORWARD_DECAPSULATED, "to_port": 8080} | changes
    return Forwarding(rule_id=f"r{n}", owner="app", **values)


def rule(n: int, **changes: Any) -> Rule:
    return read_rule(forwarding(n, **changes), n, HERE)


def hundred() -> Ruleset:
    return Ruleset(HOOKS).changed([], [rule(n) for n in range(1, 101)])[0]


def said(commands: list[Any], verb: str, what: str) -> list[Any]:
    return [c[verb][what] for c in commands if what in c.get(verb, {})]


def known(commands: list[Any]) -> list[Any]:
    return [r["expr"] for r in said(commands, "add", "rule") if r["chain"] == "known"]


def hooks(commands: list[Any], verb: str) -> list[str]:
    return [c["name"] for c in said(commands, verb, "chain")]


def test_a_change_of_one_rule_tells_of_that_rule_only() -> None:
    _, commands = hundred().changed([], [rule(7, to_address="10.65.1.4")])
    assert [e["name"] for e in said(commands, "delete", "element")] == ["to4", "to4port"]
    assert [e["elem"] for e in said(commands, "add", "element")] == [
        [[7, "10.65.1.4"]],
        [[7, {"concat": ["10.65.1.4", 8080]}]],
    ]
    assert not said(commands, "add", "rule")


def test_the_same_rule_again_is_no_change() -> None:
    assert hundred().changed([], [rule(7)])[1] == []


def test_a_withdrawn_rule_leaves_nothing_behind() -> None:
    empty, commands = hundred().changed([f"r{n}" for n in range(1, 101)], [])
    assert empty.rules == {}
    assert [m["name"] for m in said(commands, "delete", "map")] == ["p5d0flow4exact"]
    assert [s["name"] for s in said(commands, "delete", "set")] == ["flows5"]
    gone = {e["name"]: len(e["elem"]) for e in said(commands, "delete", "element")}
    assert gone == {"begun": 100, "up": 100, "down": 100, "to4": 100, "to4port": 100}


def test_an_earlier_ruleset_is_not_touched_by_a_later_one() -> None:
    before = hundred()
    before.changed(["r1"], [rule(2, priority=9)])
    assert set(before.rules) == {f"r{n}" for n in range(1, 101)}
    assert before.changed([], [rule(7)])[1] == []


def test_known_flows_are_asked_again_only_while_a_rule_for_packets_is_in_force() -> None:
    packets, commands = hundred().changed([], [rule(200, filter_type=FilterType.PACKET)])
    assert "@flows5" in json.dumps(said(commands, "add", "rule"))
    assert known(commands) == []
    _, commands = packets.changed(["r200"], [])
    assert "@up" in json.dumps(known(commands)[0])


def test_a_packet_of_a_known_flow_is_told_its_way_only_while_a_rule_has_one() -> None:
    led, commands = hundred().changed([], [rule(200, **TO_MAC)])
    assert hooks(commands, "add") == ["lead", "addressed_apps0", "answered_apps0"]
    assert "mangle" in json.dumps(known(commands))
    assert hooks(led.changed([], [rule(201, **TO_MAC)])[1], "add") == []
    _, commands = led.changed(["r200"], [])
    assert hooks(commands, "delete") == ["lead", "addressed_apps0", "answered_apps0"]
    assert "mangle" not in json.dumps(known(commands))


def test_frames_are_looked_at_from_the_first_tap_until_the_last() -> None:
    one, commands = hundred().changed([], [rule(200, action=Action.DUPLICATE_DECAPSULATED)])
    assert hooks(commands, "add") == ["from_devices_acc0", "to_devices_acc0"]
    two, commands = one.changed([], [rule(201, action=Action.DUPLICATE_DECAPSULATED)])
    assert hooks(commands, "add") == hooks(commands, "delete") == []
    one, commands = two.changed(["r200"], [])
    assert hooks(commands, "add") == hooks(commands, "delete") == []
    assert hooks(one.changed(["r201"], [])[1], "delete") == ["from_devices_acc0", "to_devices_acc0"]


def test_packets_of_the_other_ip_version_are_left_to_others_where_an_address_is_put_in_their_place() -> None:
    everything, six = TrafficMatch(dst_port=("80",)), TrafficMatch(dst_address=("fd00::1",))
    forwards = rule(1, matches=(everything, six))
    assert [{box.version for box in piece.boxes} for piece in forwards.pieces] == [{4}]
    for action in (Action.DROP, Action.PASSTHROUGH, Action.DUPLICATE_DECAPSULATED):
        assert {box.version for box in rule(1, matches=(everything,), action=action).pieces[0].boxes} == {4, 6}


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"matches": ()}, "matches is empty"),
        ({"to_address": ABSENT}, "toAddress is missing"),
        ({"to_address": "10.65.1.999"}, "toAddress is not an address"),
        ({"to_address": "fd00::1"}, "toAddress is of IPv6"),
        ({"to_port": 0}, "toPort is not a port"),
        ({"core_address": "core"}, "coreAddress is not an address"),
        ({"matches": (TrafficMatch(dscp=64),)}, "dSCP is none"),
        ({"matches": (TrafficMatch(tc=256),)}, "tC is none"),
        ({"matches": (TrafficMatch(in_interface=("sea",)),)}, "inInterface is unknown"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_by_name(changes: dict[str, Any], title: str) -> None:
    with pytest.raises(Problem) as refused:
        rule(1, **changes)
    assert (refused.value.status, refused.value.title) == (400, title)
    assert refused.value.detail
