"""What an operator allows apps to make of their rules: by default only what was granted, and nothing of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from hanse.assembly.callbacks import rule_policy
from hanse.assembly.catalogue import elements
from hanse.assembly.deployment import Deployment
from hanse.assembly.rules import RuleSettings
from hanse.assembly.sandbox.options import Options
from hanse.assembly.sandbox.seed import read_seed, smallest_seed
from hanse.assembly.settings import Settings
from hanse.elements.mep.app_rules.limits import Changes
from hanse.kit.problems import Problem

OWN = "127.10.1.100"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Deployment.from_template(tmp_path).settings("north")


def allowing(settings: Settings, *words: str) -> Settings:
    return replace(settings, rules=RuleSettings(destinations=words))


def test_an_operator_that_says_nothing_lets_apps_lead_devices_to_themselves_alone(settings: Settings) -> None:
    policy = rule_policy(settings)
    assert (policy.changes, policy.macs) == (Changes.GRANTED, frozenset())
    assert policy.destinations.takes(OWN, OWN)
    others = ("127.10.1.101", "8.8.8.8", "127.0.0.1", settings.devices["alice"].address)
    assert not any(policy.destinations.takes(other, OWN) for other in others)


def test_no_rule_leads_to_an_element_of_the_operator_whatever_network_is_allowed(settings: Settings) -> None:
    policy = rule_policy(allowing(settings, "0.0.0.0/0"))
    assert policy.destinations.takes("192.0.2.7", OWN)
    assert [e.name for e in elements(settings).values() if policy.destinations.takes(e.address, OWN)] == []


def test_what_the_operator_allows_is_told_apart_by_its_form(settings: Settings) -> None:
    policy = rule_policy(allowing(settings, "192.0.2.0/24", "2001:db8::7", "02-00-00-00-00-AF"))
    assert policy.macs == {"02:00:00:00:00:af"}
    assert policy.destinations.takes("2001:db8:0::7", OWN)
    assert not policy.destinations.takes("192.0.3.1", OWN)


@pytest.mark.parametrize(
    ("rules", "key", "hint"),
    [
        (RuleSettings(destinations=("example.com",)), "rules.destinations 'example.com'", "a MAC address"),
        (RuleSettings(destinations=("192.0.2.1/24",)), "rules.destinations '192.0.2.1/24'", "192.0.2.0/24"),
        (RuleSettings(destinations=("02:00:00:00:00",)), "rules.destinations '02:00:00:00:00'", "02:00:00:00:00:07"),
        (RuleSettings(changes="anything"), "rules.changes", "one of granted, free"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(rules: RuleSettings, key: str, hint: str) -> None:
    ((found, right),) = [(name, said) for name, said, good in rules.checks() if not good]
    assert found == key
    assert hint in right


def test_a_sandbox_lets_apps_take_what_nobody_has_and_lead_it_to_this_machine_unless_its_seed_says_otherwise(
    tmp_path: Path,
) -> None:
    policy = rule_policy(Options(tmp_path, smallest_seed()).settings())
    assert policy.changes is Changes.FREE
    assert policy.destinations.takes("127.3.2.1", "127.0.0.1")
    assert not policy.destinations.takes("8.8.8.8", "127.0.0.1")
    seed = tmp_path / "seed.toml"
    seed.write_text('rules = "granted"\ndestinations = ["192.0.2.7"]\n')
    policy = rule_policy(Options(tmp_path, read_seed(seed)).settings())
    assert policy.changes is Changes.GRANTED
    assert policy.destinations.takes("192.0.2.7", "127.0.0.1")
    assert not policy.destinations.takes("127.3.2.1", "127.0.0.1")


@pytest.mark.parametrize(("line", "key"), [('rules = "some"', "rules"), ('destinations = ["x"]', "destinations 'x'")])
def test_a_mistake_of_a_seed_is_named_as_it_stands_there(tmp_path: Path, line: str, key: str) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text(line)
    with pytest.raises(Problem, match=rf"Invalid key {key}:"):
        read_seed(seed)
