"""An app changes its DNS rules within the names and addresses that it was given (MEC 011, 7.2.10.3.2)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from hanse.elements.mep.app_rules.limits import Changes, RulePolicy
from hanse.kit.problems import Problem
from hanse.kit.receivers import Receivers
from hanse.kit.values import ABSENT
from hanse.model.descriptor import traffic
from hanse.model.descriptor.traffic import IpAddressType
from hanse.refpoints.mm5.platform import AppConfiguration
from hanse.refpoints.mp1.support import DnsRule, RuleState
from tests.unit.elements.mep.parts import Bench, configuration

POLICY = RulePolicy(destinations=Receivers(allowed=("192.0.2.0/24", "2001:db8::/32")))
FREE = RulePolicy(changes=Changes.FREE, destinations=POLICY.destinations)


def app(name: str, *names: str) -> AppConfiguration:
    """An app with these names, which takes what is sent to two networks, and leads devices elsewhere as well."""
    known = configuration(name)
    (dns,), (rule,) = known.dns_rules, known.traffic_rules
    rules = tuple(replace(dns, dns_rule_id=f"n{i}", domain_name=each) for i, each in enumerate(names))
    wanted = traffic.TrafficFilter(dst_address=("127.9.1.1", "127.9.2.0/30")), traffic.TrafficFilter(dst_port=("9",))
    other = replace(rule.dst_interface[0], dst_ip_address="127.9.3.1")
    rules_of_traffic = (
        replace(rule, traffic_filter=wanted[:1]),
        replace(rule, traffic_rule_id="out", traffic_filter=wanted[1:], dst_interface=(other,)),
    )
    return replace(known, app_d_id=f"d-{name}", dns_rules=rules, traffic_rules=rules_of_traffic)


async def running(policy: RulePolicy, **names: tuple[str, ...]) -> Bench:
    bench = Bench(rules=policy)
    for name, wanted in names.items():
        known = app(name, *wanted)
        known = known if name == "one" else replace(known, traffic_rules=())
        await bench.platform.configuration.configure(name, known)
        await bench.platform.configuration.activate(name)
    return bench


async def change(bench: Bench, identifier: str = "n0", **changes: Any) -> DnsRule:
    before = (await bench.platform.support.read_dns_rule("one", identifier)).value
    return (await bench.platform.support.update_dns_rule("one", identifier, replace(before, **changes))).value


async def refused(bench: Bench, status: int, title: str, **changes: Any) -> Problem:
    before, known = await bench.platform.support.list_dns_rules("one"), dict(bench.names.known)
    with pytest.raises(Problem) as found:
        await change(bench, **changes)
    assert (found.value.status, found.value.title) == (status, title)
    assert await bench.platform.support.list_dns_rules("one") == before
    assert bench.names.known == known != {}
    return found.value


async def test_state_and_ttl_are_the_apps_own_matter() -> None:
    bench = await running(POLICY, one=("app.example.com",))
    for changes in ({"ttl": 5}, {"ttl": ABSENT}, {"state": RuleState.INACTIVE}, {"ttl": 2**31 - 1}):
        await change(bench, **changes)
    assert bench.names.known == {}
    await change(bench, state=RuleState.ACTIVE)
    assert bench.names.known["one.n0"].ttl == 2**31 - 1


async def test_a_rule_answers_for_any_name_that_its_app_was_given_and_for_no_other() -> None:
    bench = await running(POLICY, one=("app.example.com", "www.example.com"), two=("bank.example.com",))
    assert (await change(bench, domain_name="WWW.example.com.")).domain_name == "WWW.example.com."
    for wanted in ("bank.example.com", "Bank.Example.com.", "free.example.com", "deep.app.example.com", "example.com"):
        problem = await refused(bench, 403, "Not allowed: domainName", domain_name=wanted)
        assert "app.example.com, www.example.com" in problem.detail


async def test_a_name_that_two_apps_were_given_goes_to_the_rules_that_have_it() -> None:
    bench = await running(POLICY, one=("app.example.com", "both.example.com"), two=("both.example.com",))
    await refused(bench, 403, "Not allowed: domainName", domain_name="both.example.com")
    assert (await change(bench, "n1", ttl=7)).ttl == 7


async def test_where_changes_are_free_a_rule_answers_for_what_nobody_else_was_given() -> None:
    bench = await running(FREE, one=("app.example.com",), two=("bank.example.com",))
    assert (await change(bench, domain_name="free.example.com")).domain_name == "free.example.com"
    assert bench.names.known["one.n0"].name == "free.example.com"
    for wanted in ("bank.example.com", "BANK.example.com."):
        problem = await refused(bench, 403, "Not allowed: domainName", domain_name=wanted)
        assert "no other application" in problem.detail


@pytest.mark.parametrize("policy", [POLICY, FREE], ids=["granted", "free"])
@pytest.mark.parametrize("address", ["127.9.0.100", "127.9.1.1", "127.9.2.3", "127.9.3.1", "192.0.2.9"])
async def test_a_name_leads_to_the_app_to_what_its_rules_take_and_to_what_is_allowed(
    policy: RulePolicy, address: str
) -> None:
    bench = await running(policy, one=("app.example.com",))
    await change(bench, ip_address=address)
    assert bench.names.known["one.n0"].address == address


@pytest.mark.parametrize("policy", [POLICY, FREE], ids=["granted", "free"])
@pytest.mark.parametrize("address", ["8.8.8.8", "127.9.0.101", "127.9.2.4", "0.0.0.0"])
async def test_a_name_leads_nowhere_else(policy: RulePolicy, address: str) -> None:
    bench = await running(policy, one=("app.example.com",))
    problem = await refused(bench, 403, "Not allowed: ipAddress", ip_address=address)
    assert "rules.destinations" in problem.detail
    assert address in problem.detail


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"domain_name": "*.example.com"}, "domainName"),
        ({"ip_address": "2001:db8::1"}, "ipAddress"),
        ({"ip_address_type": IpAddressType.IP_V6}, "ipAddress"),
        ({"ip_address": "127.9.1.1.1"}, "ipAddress"),
        ({"ttl": 0}, "ttl"),
        ({"ttl": 2**31}, "ttl"),
        ({"dns_rule_id": "other"}, "dnsRuleId"),
    ],
)
async def test_what_no_record_can_be_is_refused_as_such(changes: dict[str, Any], field: str) -> None:
    bench = await running(FREE, one=("app.example.com",))
    await refused(bench, 400, f"Invalid attribute {field}", **changes)


async def test_a_name_that_leads_to_an_address_of_the_other_family_may() -> None:
    bench = await running(POLICY, one=("app.example.com",))
    await change(bench, ip_address="2001:db8::1", ip_address_type=IpAddressType.IP_V6)
    assert bench.names.known["one.n0"].address == "2001:db8::1"
