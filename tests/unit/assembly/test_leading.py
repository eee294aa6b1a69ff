"""Where names lead is read from the configuration as it is meant, and a mistake in it is named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from hanse.assembly.deployment import TEMPLATES
from hanse.assembly.settings import Settings, parse
from hanse.kit.problems import Problem
from hanse.refpoints.mm1.steering import Preference, SteeringPolicy, Target

WHOLE = """
[steering."video.example.com"]
targets = { harbour = "127.10.200.7", airport = "2001:db8::8" }
ttl = 9
app = "video"
preferences = [{ to = "airport", devices = ["bob"], subnets = ["10.1.0.0/16"], zones = ["north-coast"] }]

[steering."films.example.com"]
targets = { harbour = "127.10.200.7" }
"""


def read(text: str) -> Settings:
    template = (TEMPLATES / "two-operators" / "north.toml").read_text()
    return parse(tomllib.loads(template + text), Path("/etc/hanse/north.toml"))


def test_a_policy_is_read_as_the_orchestrator_takes_it() -> None:
    found = {name: policy.policy(name) for name, policy in read(WHOLE).steering.items()}
    harbour = Target(host="harbour", address="127.10.200.7")
    bob = Preference(to="airport", devices=("bob",), subnets=("10.1.0.0/16",), zones=("north-coast",))
    assert found == {
        "video.example.com": SteeringPolicy(
            name="video.example.com",
            targets=(harbour, Target(host="airport", address="2001:db8::8")),
            preferences=(bob,),
            ttl=9,
            app="video",
        ),
        "films.example.com": SteeringPolicy(name="films.example.com", targets=(harbour,)),
    }


@pytest.mark.parametrize(
    ("before", "after", "hint"),
    [
        ('"films.example.com"', '"Films"', "a full name in lower case"),
        ("ttl = 9", "ttl = -1", "0 to 86400"),
        ("2001:db8::8", "here", "127.10.200.7"),
        ("10.1.0.0/16", "10.1.0.1/16", "10.1.0.0/16"),
        (', devices = ["bob"], subnets = ["10.1.0.0/16"], zones = ["north-coast"]', "", "devices, subnets or zones"),
        ('to = "airport"', 'towards = "airport"', "towards"),
    ],
)
def test_a_mistake_is_named_with_the_name_that_it_is_about(before: str, after: str, hint: str) -> None:
    assert before in WHOLE
    with pytest.raises(Problem) as caught:
        read(WHOLE.replace(before, after))
    told = f"{caught.value.title} {caught.value.detail}"
    assert (caught.value.status, "steering" in told) == (400, True)
    assert hint in told
