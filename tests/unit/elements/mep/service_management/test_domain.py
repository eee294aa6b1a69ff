"""What matches a query, what a registration must hold, and who is told of a change (ETSI GS MEC 011 V3.1.1, 8)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hanse.elements.mep.service_management import domain
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT, Absent
from hanse.model.descriptor.services import CategoryRef
from hanse.refpoints.mp1.services import (
    ChangeType,
    FilteringCriteria,
    LocalityType,
    ServiceInfo,
    ServiceQuery,
    ServiceState,
)
from tests.unit.elements.mep.parts import service

SPEECH = msgspec.structs.replace(
    service("speech"), ser_instance_id="s1", ser_category=CategoryRef(href="/c", id="audio", name="Audio", version="1")
)


def changed(**attributes: Any) -> ServiceInfo:
    return msgspec.structs.replace(service("speech"), **attributes)


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ({}, True),
        ({"ser_name": ("other", "speech")}, True),
        ({"ser_name": ("other",)}, False),
        ({"ser_instance_id": ("s1",)}, True),
        ({"ser_instance_id": ("s2",)}, False),
        ({"ser_category_id": "audio"}, True),
        ({"ser_category_id": "video"}, False),
        ({"scope_of_locality": LocalityType.MEC_SYSTEM}, True),
        ({"scope_of_locality": LocalityType.MEC_HOST}, False),
        ({"consumed_local_only": False}, True),
        ({"consumed_local_only": True}, False),
        ({"ser_name": ("speech",), "consumed_local_only": True}, False),
        ({"is_local": False}, True),
    ],
)
def test_a_query_finds_exactly_the_services_that_it_describes(query: dict[str, Any], fits: bool) -> None:
    assert domain.matches(SPEECH, ServiceQuery(**query)) is fits


def test_a_service_without_category_is_in_none() -> None:
    assert not domain.matches(service("speech"), ServiceQuery(ser_category_id="audio"))


def test_two_ways_to_name_a_service_are_refused_with_both_names() -> None:
    domain.check_query(ServiceQuery(ser_name=("a",)))
    with pytest.raises(Problem, match="got ser_name and ser_category_id") as caught:
        domain.check_query(ServiceQuery(ser_name=("a",), ser_category_id="b"))
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("wrong", "title"),
    [
        ({"state": ServiceState.SUSPENDED}, "Invalid attribute state"),
        ({"ser_name": ""}, "Invalid attribute serName"),
        ({"liveness_interval": -1}, "Invalid attribute livenessInterval"),
        ({"transport_info": ABSENT}, "Invalid attribute transportInfo"),
        ({"transport_id": "rest-http"}, "Invalid attribute transportInfo"),
    ],
)
def test_a_registration_that_cannot_be_kept_is_refused_by_the_attribute(wrong: dict[str, Any], title: str) -> None:
    domain.check_service(service("speech"))
    with pytest.raises(Problem, match=title) as caught:
        domain.check_service(changed(**wrong))
    assert caught.value.status == 400


def test_a_replacement_has_the_transport_that_its_platform_told() -> None:
    domain.check_replacement(changed(ser_instance_id="s-1"), "s-1")
    domain.check_replacement(changed(ser_instance_id=ABSENT), "s-1")
    for wrong in ({"ser_instance_id": "s-2"}, {"transport_info": ABSENT, "transport_id": "rest-http"}):
        with pytest.raises(Problem, match=r"serInstanceId|transportId") as caught:
            domain.check_replacement(changed(**{"ser_instance_id": "s-1", **wrong}), "s-1")
        assert caught.value.status == 400


def test_a_subscription_names_services_in_one_way() -> None:
    domain.check_criteria(ABSENT)
    domain.check_criteria(FilteringCriteria(ser_names=("a",), states=(ServiceState.ACTIVE,)))
    with pytest.raises(Problem, match="filteringCriteria"):
        domain.check_criteria(FilteringCriteria(ser_names=("a",), ser_instance_ids=("b",)))


@pytest.mark.parametrize(
    ("criteria", "told"),
    [
        ({}, True),
        ({"ser_names": ("speech",)}, True),
        ({"ser_names": ("other",)}, False),
        ({"ser_instance_ids": ("s1",)}, True),
        ({"ser_instance_ids": ("s2",)}, False),
        ({"states": (ServiceState.ACTIVE,)}, True),
        ({"states": (ServiceState.INACTIVE,)}, False),
        ({"ser_categories": (CategoryRef(href="", id="audio", name="", version=""),)}, True),
        ({"ser_categories": (CategoryRef(href="", id="video", name="", version=""),)}, False),
        ({"is_local": True}, True),
        ({"is_local": False}, False),
    ],
)
def test_only_changes_that_a_subscription_describes_are_told(criteria: dict[str, Any], told: bool) -> None:
    assert domain.concerns(FilteringCriteria(**criteria), SPEECH) is told
    assert domain.concerns(ABSENT, SPEECH)


def test_a_change_is_called_what_it_is() -> None:
    before = service("speech")
    assert domain.change_between(before, before) is None
    assert domain.change_between(before, changed(state=ServiceState.INACTIVE)) is ChangeType.STATE_CHANGED
    assert domain.change_between(before, changed(version="2")) is ChangeType.ATTRIBUTES_CHANGED
    both = changed(version="2", state=ServiceState.INACTIVE)
    assert domain.change_between(before, both) is ChangeType.ATTRIBUTES_CHANGED


NAMED = [
    ABSENT,
    FilteringCriteria(),
    FilteringCriteria(ser_instance_ids=("s", "s", "t")),
    FilteringCriteria(ser_names=("speech", "video")),
    FilteringCriteria(ser_names=()),
    FilteringCriteria(ser_categories=(CategoryRef(href="h", id="c", name="n", version="1"),)),
    FilteringCriteria(ser_names=("s",), states=(ServiceState.INACTIVE,)),
    FilteringCriteria(states=(ServiceState.ACTIVE,), is_local=True),
]


@pytest.mark.parametrize("criteria", NAMED)
@pytest.mark.parametrize("identifier", ["s", "x"])
@pytest.mark.parametrize("name", ["speech", "s", "c", ""])
@pytest.mark.parametrize("category", ["c", "s", ""])
def test_no_subscriber_whom_a_change_concerns_is_missed_by_what_it_names(
    criteria: FilteringCriteria | Absent, identifier: str, name: str, category: str
) -> None:
    offered = changed(ser_instance_id=identifier, ser_name=name)
    if category:
        offered = changed(
            ser_instance_id=identifier,
            ser_name=name,
            ser_category=CategoryRef(href="h", id=category, name="n", version="1"),
        )
    common = set(domain.wanted_names(criteria)) & set(domain.service_names(offered))
    assert len(common) <= 1, "it would be told twice"
    assert common or not domain.concerns(criteria, offered)
