"""The operator's policies on a platform are carried out, kept over a restart, and refused where they cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from hanse.kit.problems import Problem
from hanse.kit.store import Store
from hanse.model.descriptor.traffic import DNSRuleDescriptor, IpAddressType
from hanse.refpoints.mm1.steering import Preference, SteeringPolicies, SteeringPolicy, Target
from hanse.refpoints.mp2 import BY_CLIENT
from tests.unit.elements.mep.parts import Bench, configuration

NAME = "navigation.example.com"
POLICY = SteeringPolicy(
    name=NAME,
    targets=(Target(host="quay", address="127.3.0.1"), Target(host="gate", address="127.3.0.2")),
    preferences=(Preference(to="gate", subnets=("10.2.0.0/16",)),),
)


def policies(bench: Bench) -> SteeringPolicies:
    found = bench.platform.apis()[SteeringPolicies]
    assert isinstance(found, SteeringPolicies)
    return found


def answers(bench: Bench) -> set[tuple[str | object, tuple[str, ...], int]]:
    return {(r.address, r.clients, r.order) for r in bench.names.known.values()}


async def test_a_policy_is_answered_by_at_once_and_replaced_and_taken_back_whole(bench: Bench) -> None:
    await policies(bench).set_policy(NAME, POLICY)
    assert answers(bench) == {("127.3.0.2", ("10.2.0.0/16",), 1), ("127.3.0.1", (), 2)}
    await policies(bench).set_policy(NAME, replace(POLICY, preferences=()))
    assert answers(bench) == {("127.3.0.1", (), 1)}
    assert await policies(bench).list_policies() == [replace(POLICY, preferences=())]
    await policies(bench).remove_policy(NAME)
    await policies(bench).remove_policy(NAME)
    assert answers(bench) == set()
    assert await policies(bench).list_policies() == []


async def test_a_restarted_platform_and_an_emptied_name_server_come_back_to_what_is_kept(tmp_path: Path) -> None:
    first = Bench(store=Store(tmp_path / "mep.sqlite"))
    await policies(first).set_policy(NAME, POLICY)
    before = answers(first)
    first.store.close()
    again = Bench(store=Store(tmp_path / "mep.sqlite"))
    await again.platform.steering.restore()
    assert answers(again) == before
    again.names.known.clear()
    await again.platform.steering.restore()
    assert answers(again) == before
    assert await policies(again).list_policies() == [POLICY]
    again.store.close()


async def test_records_of_a_policy_that_nobody_keeps_are_taken_out(bench: Bench) -> None:
    await policies(bench).set_policy(NAME, POLICY)
    stranger = Bench(names=bench.names)
    await stranger.platform.steering.restore()
    assert answers(stranger) == set()


async def test_a_policy_outranks_the_rule_of_an_app_and_leaves_it_in_place(bench: Bench) -> None:
    rule = DNSRuleDescriptor(
        dns_rule_id="d1", domain_name=NAME, ip_address_type=IpAddressType.IP_V4, ip_address="127.3.0.9", ttl=9
    )
    app = replace(configuration("app-1"), dns_rules=(rule,))
    await bench.platform.configuration.configure("app-1", app)
    await bench.platform.configuration.activate("app-1")
    await policies(bench).set_policy(NAME, POLICY)
    by_order = sorted((r.order, r.address) for r in bench.names.known.values())
    assert [address for _, address in by_order] == ["127.3.0.2", "127.3.0.1", "127.3.0.9"]
    await policies(bench).remove_policy(NAME)
    assert [r.address for r in bench.names.known.values()] == ["127.3.0.9"]


async def test_a_policy_that_the_name_server_cannot_carry_out_is_refused_with_its_reason(bench: Bench) -> None:
    bench.names.lacks = {BY_CLIENT: "plain DNS gives all the same answer"}
    with pytest.raises(Problem, match="plain DNS gives all the same answer") as refused:
        await policies(bench).set_policy(NAME, POLICY)
    assert (refused.value.status, NAME in refused.value.title) == (400, True)
    assert await policies(bench).list_policies() == []
    await policies(bench).set_policy(NAME, replace(POLICY, preferences=()))
    assert answers(bench) == {("127.3.0.1", (), 1)}
