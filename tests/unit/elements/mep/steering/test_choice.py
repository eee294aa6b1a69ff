"""Which host a device is led to."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from hanse.elements.mep.steering.choice import Asker, choose, means, within
from hanse.model.place import Position, Zone
from hanse.refpoints.mm1.steering import Preference, SteeringPolicy, Target

HARBOUR = Zone(name="harbour", position=Position(latitude=53.54, longitude=9.98))
AIRPORT = Zone(name="airport", position=Position(latitude=53.63, longitude=10.0))
AT_HARBOUR = Target(host="quay", address="127.3.0.1", zone=HARBOUR)
AT_AIRPORT = Target(host="gate", address="127.3.0.2", zone=AIRPORT)
POLICY = SteeringPolicy(name="video.example", targets=(AT_HARBOUR, AT_AIRPORT))
TRAVELLER = Asker("10.2.0.9", "alice", "airport", AIRPORT.position)
STRANGER = Asker("10.9.0.1")


def preferring(*preferences: Preference) -> SteeringPolicy:
    return replace(POLICY, preferences=preferences)


def test_a_device_is_led_to_the_nearest_host() -> None:
    assert choose(POLICY, TRAVELLER) == AT_AIRPORT
    assert choose(POLICY, TRAVELLER._replace(position=HARBOUR.position)) == AT_HARBOUR


def test_a_device_of_unknown_place_is_led_to_the_first_that_is_named() -> None:
    assert choose(POLICY, STRANGER) == AT_HARBOUR


def test_a_name_that_is_nowhere_leads_nowhere() -> None:
    assert choose(replace(POLICY, targets=()), TRAVELLER) is None


@pytest.mark.parametrize(
    "preference",
    [
        Preference(to="quay", devices=("alice",)),
        Preference(to="quay", devices=("10.2.0.9",)),
        Preference(to="quay", subnets=("10.1.0.0/16", "10.2.0.0/16")),
        Preference(to="quay", zones=("airport",)),
    ],
)
def test_what_the_operator_prefers_goes_before_nearness(preference: Preference) -> None:
    assert choose(preferring(preference), TRAVELLER) == AT_HARBOUR
    assert choose(preferring(preference), Asker("10.3.0.1", "bob", "station", AIRPORT.position)) == AT_AIRPORT


def test_the_first_preference_that_means_the_device_decides() -> None:
    gate, quay = Preference(to="gate", devices=("alice",)), Preference(to="quay", zones=("airport",))
    assert choose(preferring(gate, quay), TRAVELLER) == AT_AIRPORT
    assert choose(preferring(quay, gate), TRAVELLER) == AT_HARBOUR


def test_a_host_that_went_away_is_passed_over() -> None:
    policy = preferring(Preference(to="gone", devices=("alice",)), Preference(to="quay", devices=("alice",)))
    assert choose(policy, TRAVELLER) == AT_HARBOUR


def test_of_several_targets_of_a_preferred_host_the_nearest_is_taken() -> None:
    far, near = replace(AT_HARBOUR, host="both"), replace(AT_AIRPORT, host="both")
    policy = replace(POLICY, targets=(far, near), preferences=(Preference(to="both", devices=("alice",)),))
    assert choose(policy, TRAVELLER) == near


def test_a_target_of_unknown_place_is_taken_last() -> None:
    nowhere = Target(host="new", address="127.3.0.3")
    assert choose(replace(POLICY, targets=(nowhere, AT_HARBOUR)), TRAVELLER) == AT_HARBOUR


def test_nobody_is_meant_by_an_empty_preference() -> None:
    assert not means(Preference(to="quay"), TRAVELLER)
    assert not means(Preference(to="quay", devices=("",), zones=("",)), Asker())


def test_addresses_of_the_other_family_are_in_no_network() -> None:
    assert within("2001:db8::7", "2001:db8::/32")
    assert not within("2001:db8::7", "0.0.0.0/0")
    assert not within("nonsense", "10.0.0.0/8")
