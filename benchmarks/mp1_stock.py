"""The services of ``mp1-discovery``, such that each of the parameters of a query can narrow them to a fiftieth.

Of 1,000 services 980 are offered at the harbour and 20 at the airport, from where they are shared (Mp3). 40 % have
names of 20 services each, 20 % names of 10, 40 % names of 40, of which half have the scope of the whole system. Each
has one of 50 categories. The four narrow scopes have 20 services each; only those of the airport may be consumed
elsewhere.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from msgspec.structs import replace

from benchmarks.population import service
from hanse.model.descriptor.services import CategoryRef
from hanse.refpoints.mp1.services import LocalityType, ServiceInfo

NARROW = (LocalityType.ZONE, LocalityType.ZONE_GROUP, LocalityType.NFVI_POP, LocalityType.NFVI_NODE)
PARTS = 50
"""An answer is about this part of all services."""


@dataclass
class Stock:
    """The services of both hosts, and the words by which they are found."""

    here: list[ServiceInfo] = field(default_factory=list)
    elsewhere: list[ServiceInfo] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    small_names: list[str] = field(default_factory=list)
    wide_names: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)


def stocked(url: str, elsewhere: str, count: int) -> Stock:
    """``count`` services of the platforms at two URLs; the same on every run."""
    rng, each = random.Random(count), max(2, count // PARTS)
    stock = Stock(
        names=[f"name-{n}" for n in range(max(1, count * 2 // 5 // each))],
        small_names=[f"small-{n}" for n in range(max(2, count * 2 // 5 // each))],
        wide_names=[f"wide-{n}" for n in range(max(1, count // 5 // each))],
        categories=[f"category-{n}" for n in range(PARTS)],
    )
    singles, smalls = count * 2 // 5, count // 5
    for number in range(count):
        category = _category(stock.categories[number % PARTS])
        scope = LocalityType.MEC_HOST
        if number < singles:
            name = stock.names[number % len(stock.names)]
        elif number < singles + smalls:
            name = stock.small_names[number % len(stock.small_names)]
        else:
            name, scope = stock.wide_names[number % len(stock.wide_names)], rng.choice(_WIDE)
        away = number < each
        if each <= number < each * (1 + len(NARROW)):
            scope = NARROW[number % len(NARROW)]
        made = service(elsewhere if away else url, f"{number:08d}-0000-4000-8000-000000000000", name)
        made = replace(made, ser_category=category, scope_of_locality=scope, consumed_local_only=not away)
        (stock.elsewhere if away else stock.here).append(made)
    return stock


_WIDE = (LocalityType.MEC_HOST, LocalityType.MEC_SYSTEM)


def _category(identifier: str) -> CategoryRef:
    return CategoryRef(href=f"https://example.com/{identifier}", id=identifier, name=identifier, version="1.0")
