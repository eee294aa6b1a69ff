"""What the callers of ``mp1-discovery`` ask: random queries of each kind, and what is right to answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import TypeAlias
from urllib.parse import urlencode

from benchmarks.mp1_stock import NARROW, Stock
from hanse.elements.mep.service_management import domain
from hanse.kit.contract.decode import decode_query
from hanse.refpoints.mp1.services import LocalityType, ServiceInfo, ServiceQuery

Pairs: TypeAlias = list[tuple[str, str]]

_WIDE = (LocalityType.MEC_HOST, LocalityType.MEC_SYSTEM)

KINDS: dict[str, Callable[[random.Random, Stock], Pairs]] = {
    "ser_name": lambda rng, stock: [("ser_name", rng.choice(stock.names))],
    "two ser_name": lambda rng, stock: [("ser_name", name) for name in rng.sample(stock.small_names, 2)],
    "ser_category_id": lambda rng, stock: [("ser_category_id", rng.choice(stock.categories))],
    "scope_of_locality": lambda rng, _: [("scope_of_locality", rng.choice(NARROW))],
    "consumed_local_only": lambda *_: [("consumed_local_only", "false")],
    "is_local": lambda rng, stock: [("ser_name", rng.choice(stock.names)), ("is_local", "true")],
    "combination": lambda rng, stock: rng.choice(COMBINATIONS)(rng, stock),
}
"""The kinds; ``is_local`` alone leaves nearly all services, so it comes with a name that other hosts offer too."""
COMBINATIONS: tuple[Callable[[random.Random, Stock], Pairs], ...] = (
    lambda rng, stock: [("ser_name", rng.choice(stock.wide_names)), ("scope_of_locality", rng.choice(_WIDE))],
    lambda rng, stock: [
        ("ser_category_id", rng.choice(stock.categories)),
        ("consumed_local_only", "true"),
        ("is_local", "true"),
    ],
    lambda rng, stock: [
        *[("ser_name", name) for name in rng.sample(stock.small_names, 2)],
        ("is_local", rng.choice(("true", "false"))),
        ("consumed_local_only", "true"),
    ],
    lambda rng, _: [("scope_of_locality", rng.choice(NARROW)), ("is_local", "true")],
)


def questions(stock: Stock, each: int) -> dict[str, list[str]]:
    """``each`` queries of every kind, as they stand in a URI; drawn anew but the same on every run, some come twice."""
    rng = random.Random(each)
    return {kind: [_written(rng, draw(rng, stock)) for _ in range(each)] for kind, draw in KINDS.items()}


def _written(rng: random.Random, pairs: Pairs) -> str:
    rng.shuffle(pairs)
    return urlencode(pairs)


def wanted(query: str, known: Iterable[ServiceInfo]) -> set[str]:
    """The ids of the services that a query is about, by looking at each."""
    read = decode_query(query, ServiceQuery)
    assert isinstance(read, ServiceQuery)
    return {str(service.ser_instance_id) for service in known if domain.matches(service, read)}
