"""The page of the ways to steer shows a configuration that is taken, and names every way and option."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

from hanse.assembly.deployment import TEMPLATES
from hanse.assembly.settings import parse
from hanse.cli.steering import set_policy
from tests.unit.docs.tour import README

PAGE = (README.parent / "docs/steering.md").read_text()


def test_the_redirector_that_it_shows_is_taken() -> None:
    block = next(text for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if ".redirection]" in text)
    template = (TEMPLATES / "two-operators" / "north.toml").read_text()
    settings = parse(tomllib.loads(template + block), Path("/etc/hanse/north.toml"))
    place = settings.hosts["harbour"].redirection
    assert place is not None
    assert place.address == settings.hosts["harbour"].names.address
    (policy,) = [found.policy(name) for name, found in settings.steering.items()]
    assert [target.location for target in policy.targets if isinstance(target.location, str)] == [
        "https://video-airport.example.com:8443"
    ]


def test_it_shows_every_option_of_the_command() -> None:
    named = {"to", "prefer", "location", "ttl"}
    assert named | {"name", "app", "operator"} == set(inspect.signature(set_policy).parameters)
    assert not [option for option in named if f"--{option} " not in PAGE]
