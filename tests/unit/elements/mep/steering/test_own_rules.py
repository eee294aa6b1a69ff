"""Rules of apps are kept as they are worked out, and worked out when an app changes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from hanse.elements.mep.app_rules.rules import forwardings
from hanse.elements.mep.records import AppRecord
from hanse.elements.mep.steering import own_rules
from hanse.elements.mep.steering.own_rules import InForce, OwnRules
from hanse.kit.problems import bad_request
from hanse.refpoints.mp1.support import RuleState
from hanse.refpoints.mp2 import Forwarding, TrafficMatch
from tests.unit.elements.mep.parts import Bench, configuration

HERE = TrafficMatch(dst_address=("127.9.1.1",))


async def test_what_is_kept_follows_an_app_through_its_life(bench: Bench) -> None:
    own, manager = OwnRules(bench.platform.records.apps, {}), bench.platform.configuration
    assert own.of("one") == InForce()
    await manager.configure("one", configuration("one"))
    assert (own.of("one"), list(own.members("d"))) == (InForce(), ["one"])
    await manager.activate("one")
    (rule,) = own.of("one").shared
    assert (rule.app_d_id, rule.traffic_rule_id) == ("d", "in")
    assert rule.forwarding == replace(bench.plane.rules["one.in"], shared=False)
    assert list(own.met(HERE)) == list(own.shared()) == [rule]
    await manager.deactivate("one")
    assert (own.of("one"), own.shared(), list(own.met(HERE))) == (InForce(), (), [])
    await manager.forget("one")
    assert list(own.members("d")) == []


async def test_a_rule_that_an_app_switches_off_is_kept_no_more_and_others_of_it_are(bench: Bench) -> None:
    own, app = OwnRules(bench.platform.records.apps, {}), configuration("one")
    there = replace(app.traffic_rules[0].traffic_filter[0], dst_address=("127.9.1.2",))
    second = replace(app.traffic_rules[0], traffic_rule_id="second", traffic_filter=(there,))
    await bench.platform.configuration.configure("one", replace(app, traffic_rules=(*app.traffic_rules, second)))
    await bench.platform.configuration.activate("one")
    first, _ = await bench.platform.support.list_traffic_rules("one")
    await bench.platform.support.update_traffic_rule("one", "in", replace(first, state=RuleState.INACTIVE))
    assert [rule.traffic_rule_id for rule in own.shared()] == ["second"]
    assert list(own.met(HERE)) == []


async def test_an_app_whose_address_is_written_unusually_shares_its_rules_all_the_same(bench: Bench) -> None:
    own = OwnRules(bench.platform.records.apps, {})
    await bench.platform.configuration.configure("one", replace(configuration("one"), address="FD00:0:0::7"))
    await bench.platform.configuration.activate("one")
    assert [rule.forwarding.to_address for rule in own.shared()] == ["fd00::7"]


async def test_rules_of_an_app_without_a_package_are_its_own_affair(bench: Bench) -> None:
    own = OwnRules(bench.platform.records.apps, {})
    await bench.platform.configuration.configure("one", replace(configuration("one"), app_d_id=""))
    await bench.platform.configuration.activate("one")
    assert own.shared() == ()
    assert [rule.rule_id for rule in own.of("one").alone] == ["one.in"]


async def test_an_app_that_an_older_version_let_in_and_nobody_can_carry_out_hinders_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, bench: Bench
) -> None:
    def picky(app: AppRecord) -> list[Forwarding]:
        if app.app_instance_id == "one":
            raise bad_request("dstInterface", "nothing like it")
        return forwardings(app)

    for name in ("one", "two"):
        await bench.platform.configuration.configure(name, replace(configuration(name), address=f"127.9.0.{len(name)}"))
    monkeypatch.setattr(own_rules, "forwardings", picky)
    for name in ("one", "two"):
        await bench.platform.configuration.activate(name)
    assert bench.plane.rules.keys() == {"two.in"}
    assert "rules of one are not carried out: 400 dstInterface" in caplog.text
