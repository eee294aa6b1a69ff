"""Rules that want the same packets are found without asking all others."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from hanse.elements.mep.app_rules.claims import Claim, Claims
from hanse.elements.mep.app_rules.overlap import described
from hanse.refpoints.mp1.support import TrafficFilter

MANY = 10_000


def claim(rule_id: str, priority: int = 1, *more: TrafficFilter, **attributes: Any) -> Claim:
    filters = (TrafficFilter(**attributes), *more)
    return Claim("app", "", rule_id, priority, tuple(described(f) for f in filters), rule_id)


def where(n: int) -> str:
    return f"10.{n // 65536}.{n // 256 % 256}.{n % 256}"


ATTRIBUTES: dict[str, Callable[[int], dict[str, Any]]] = {
    "destination": lambda n: {"dst_address": (where(n),)},
    "source": lambda n: {"src_address": (where(n),), "dst_address": ("10.200.0.1",), "dst_port": ("80",)},
    "port": lambda n: {"dst_address": ("10.200.0.1",), "dst_port": (str(n + 1000),)},
    "IPv6": lambda n: {"dst_address": (f"fd00:7::{n:x}",)},
    "network": lambda n: {"dst_address": (f"10.{n // 256}.{n % 256}.0/24",)},
    "tag": lambda n: {"tag": (f"tag-{n}",), "dst_address": ("10.200.0.1",)},
}


@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_a_change_among_ten_thousand_rules_is_compared_with_a_handful(kind: str) -> None:
    claims = Claims()
    made = [claim(str(n), 1, **ATTRIBUTES[kind](n)) for n in range(MANY)]
    for each in made:
        claims.add(each)
    changed = claim("changed", 1, **ATTRIBUTES[kind](4321))
    candidates = list(claims.candidates(changed))
    assert [c.rule_id for c in candidates if c.meets(changed)] == ["4321"]
    assert len(candidates) <= 2
    claims.remove(made[4321])
    assert not [c for c in claims.candidates(changed) if c.meets(changed)]


def test_rules_that_only_two_attributes_together_tell_apart_are_compared_with_few() -> None:
    claims = Claims()
    for n in range(MANY):
        claims.add(claim(str(n), dst_address=(where(n % 100),), dst_port=(str(1000 + n // 100),)))
    changed = claim("changed", dst_address=(where(21),), dst_port=("1043",))
    candidates = list(claims.candidates(changed))
    assert [c.rule_id for c in candidates if c.meets(changed)] == ["4321"]
    assert len(candidates) <= 100


def test_rules_of_other_priorities_are_not_asked() -> None:
    claims = Claims()
    claims.add(claim("other", 2, dst_address=("10.0.0.1",)))
    assert not list(claims.candidates(claim("changed", 1, dst_address=("10.0.0.1",))))


def test_no_rule_that_overlaps_is_missed() -> None:
    draw = random.Random(11)
    claims, made = Claims(), []
    for n in range(400):
        made.append(_any(draw, str(n)))
        claims.add(made[-1])
    for gone in made[::7]:
        claims.remove(gone)
    made = [each for at, each in enumerate(made) if at % 7]
    met = 0
    for n in range(400):
        changed = _any(draw, f"changed-{n}")
        found = {c.rule_id for c in claims.candidates(changed) if c.meets(changed)}
        assert found == {c.rule_id for c in made if c.priority == changed.priority and c.meets(changed)}
        met += len(found)
        anywhere = {c.rule_id for c in claims.anywhere(changed) if c.meets(changed)}
        assert anywhere == {c.rule_id for c in made if c.meets(changed)} >= found
    assert met > 400


def _any(draw: random.Random, rule_id: str) -> Claim:
    """One of few addresses, networks, ranges and ports, so that many overlap."""

    def address() -> str:
        low = draw.randrange(2**9)
        text = f"10.0.{low // 256}.{low % 256}"
        high = min(low + draw.randrange(300), 511)
        kinds = (text, f"{text}/{draw.randrange(22, 33)}", f"{text}-10.0.{high // 256}.{high % 256}", "fd00::1")
        return draw.choice(kinds)

    def port() -> str:
        low = draw.randrange(250, 262)
        return draw.choice((str(low), f"{low}-{low + draw.randrange(300)}"))

    def some(make: object, of: int = 2) -> object:
        return {"attribute": tuple(make() for _ in range(draw.randrange(1, of + 1)))}  # type: ignore[operator]

    def one() -> TrafficFilter:
        attributes = {
            name: some(make)["attribute"]  # type: ignore[index]
            for name, make in (
                ("dst_address", address),
                ("src_address", address),
                ("dst_port", port),
                ("tag", lambda: draw.choice("abc")),
            )
            if draw.random() < 0.5
        }
        return TrafficFilter(**attributes)

    filters = tuple(described(one()) for _ in range(draw.randrange(1, 3)))
    return Claim("app", "", rule_id, draw.randrange(2), filters, rule_id)
