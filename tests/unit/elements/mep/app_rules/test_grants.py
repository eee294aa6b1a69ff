"""What an app was given is known while it is there, and is what its rules are held against."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.elements.mep.app_rules.claims import claim_of
from hanse.elements.mep.app_rules.grants import Grants
from hanse.elements.mep.app_rules.rules import traffic_rule
from hanse.model.descriptor.traffic import Action, TrafficFilter
from hanse.refpoints.mm5.platform import AppConfiguration
from hanse.refpoints.mp1 import support
from hanse.refpoints.mp1.support import RuleState
from tests.unit.elements.mep.parts import configuration

APP = configuration("one")
RULE = traffic_rule(APP.traffic_rules[0])
ANY = support.TrafficFilter(dst_address=("127.9.1.0/24",))


def near(grants: Grants) -> list[str]:
    asking = claim_of(configuration("two"), replace(RULE, traffic_filter=(ANY,), priority=9))
    return [claim.owner for claim in grants.near(asking)]


def given(app: AppConfiguration) -> Grants:
    grants = Grants()
    grants.hold(app)
    return grants


def test_what_an_app_takes_is_found_while_it_is_there() -> None:
    grants = given(APP)
    assert near(grants) == ["one"]
    grants.hold(APP)
    assert near(grants) == ["one"]
    grants.release("one")
    assert near(grants) == []
    assert grants.outside("one", RULE.traffic_filter[0]) == "dstAddress"
    grants.release("one")


def test_an_app_that_is_configured_anew_has_its_new_grant_alone() -> None:
    grants = given(APP)
    elsewhere = replace(APP.traffic_rules[0], traffic_filter=(TrafficFilter(dst_address=("127.9.2.1",)),))
    grants.hold(replace(APP, traffic_rules=(elsewhere,)))
    assert near(grants) == []
    assert grants.outside("one", RULE.traffic_filter[0]) == "dstAddress"
    assert grants.outside("one", support.TrafficFilter(dst_address=("127.9.2.1",))) is None


def test_copies_take_nothing() -> None:
    (rule,) = APP.traffic_rules
    tap = replace(rule, action=Action.DUPLICATE_DECAPSULATED, dst_interface=rule.dst_interface * 2)
    assert near(given(replace(APP, traffic_rules=(tap,)))) == []


def test_a_rule_that_is_as_it_was_given_but_for_its_state_claims_what_was_given_and_any_other_what_it_says() -> None:
    grants = given(APP)
    resting = grants.claim(APP, replace(RULE, state=RuleState.INACTIVE))
    assert resting is grants.claim(APP, RULE)
    assert (resting.priority, resting.filters) == (1, claim_of(APP, RULE).filters)
    changed = grants.claim(APP, replace(RULE, priority=7, traffic_filter=(ANY,)))
    assert (changed.priority, changed.filters) == (7, claim_of(APP, replace(RULE, traffic_filter=(ANY,))).filters)
    assert grants.claim(APP, replace(RULE, traffic_rule_id="more")).rule_id == "more"
