"""A rule for a tag touches the tag's device and no other (ETSI GS MEC 014 V2.1.1, 5.1)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hanse.elements.mep.app_support.tags import resolved, retagged, within
from hanse.elements.mep.records import AppRecord
from hanse.kit.values import ABSENT
from hanse.model.descriptor.traffic import Action, FilterType
from hanse.refpoints.mm5.platform import AppPhase
from hanse.refpoints.mp1.support import RuleState, TrafficFilter, TrafficRule
from tests.unit.elements.mep.parts import configuration

ADDRESSES = {"alice": ("127.9.100.5",), "bob": ("127.9.100.6", "127.9.100.7"), "carol": ()}


def rule(*filters: TrafficFilter, name: str = "r") -> TrafficRule:
    return TrafficRule(
        traffic_rule_id=name,
        filter_type=FilterType.FLOW,
        priority=1,
        traffic_filter=filters,
        action=Action.DROP,
        state=RuleState.INACTIVE,
    )


def record(*rules: TrafficRule, tags: tuple[str, ...] = ()) -> AppRecord:
    return AppRecord(
        configuration=configuration("one"), phase=AppPhase.READY, traffic_rules=rules, dns_rules=(), tags=tags
    )


def tagged(*tags: str, **more: Any) -> TrafficFilter:
    return TrafficFilter(tag=tags, **more)


def test_a_tag_becomes_the_addresses_of_its_device() -> None:
    app = resolved(record(rule(tagged("alice", "bob")), tags=("alice", "bob")), ADDRESSES)
    (wanted,) = app.traffic_rules[0].traffic_filter
    assert (wanted.tag, wanted.src_address) == (ABSENT, ("127.9.100.5", "127.9.100.6", "127.9.100.7"))


def test_a_tag_that_is_not_registered_or_has_no_device_lets_nothing_through() -> None:
    app = record(
        rule(tagged("alice"), name="a"), rule(tagged("carol"), name="c"), rule(tagged("x"), name="x"), tags=("carol",)
    )
    assert resolved(app, ADDRESSES).traffic_rules == ()


def test_filters_without_tag_stay_as_they_are() -> None:
    plain = TrafficFilter(dst_address=("127.9.1.1",))
    app = resolved(record(rule(tagged("alice"), plain)), ADDRESSES)
    assert app.traffic_rules[0].traffic_filter == (plain,)


def test_tag_and_source_address_must_both_hold() -> None:
    app = resolved(record(rule(tagged("bob", src_address=("127.9.100.7-127.9.100.9",))), tags=("bob",)), ADDRESSES)
    assert app.traffic_rules[0].traffic_filter[0].src_address == ("127.9.100.7",)
    assert resolved(record(rule(tagged("bob", src_address=("10.0.0.0/8",))), tags=("bob",)), ADDRESSES) == record(
        tags=("bob",)
    )


def test_one_registered_tag_of_several_keeps_a_rule_active() -> None:
    app = record(rule(tagged("alice", "bob")))
    both = retagged(app, frozenset({"alice", "bob"}))
    one = retagged(both, frozenset({"bob"}))
    none = retagged(one, frozenset())
    assert [a.traffic_rules[0].state for a in (both, one, none)] == [
        RuleState.ACTIVE,
        RuleState.ACTIVE,
        RuleState.INACTIVE,
    ]


def test_a_rule_that_the_app_switched_off_itself_follows_only_its_own_tags() -> None:
    app = retagged(record(rule(tagged("alice"))), frozenset({"alice"}))
    off = msgspec.structs.replace(
        app, traffic_rules=(msgspec.structs.replace(app.traffic_rules[0], state=RuleState.INACTIVE),)
    )
    assert retagged(off, frozenset({"alice", "bob"})).traffic_rules[0].state is RuleState.INACTIVE


@pytest.mark.parametrize(
    ("pattern", "inside"),
    [
        ("10.0.0.5", True),
        ("10.0.0.6", False),
        ("10.0.0.0/24", True),
        ("10.0.0.0/255.255.255.0", True),
        ("10.0.1.0/24", False),
        ("10.0.0.1-10.0.0.5", True),
        ("10.0.0.6-10.0.0.9", False),
        ("2001:db8::/32", False),
        ("2001:db8::1-2001:db8::2", False),
        ("nonsense", False),
    ],
)
def test_an_address_is_in_what_the_standard_can_write(pattern: str, inside: bool) -> None:
    assert within("10.0.0.5", pattern) is inside
