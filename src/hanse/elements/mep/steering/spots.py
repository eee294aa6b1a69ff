"""Where rules lead from, as words under which they are kept: those that may meet are found without asking all; pure.

Addresses and ports are compared as they are spelt, as `anycast.foreign` compares them, which decides.
"""

from __future__ import annotations

from collections.abc import Iterator

from hanse.refpoints.mp2 import Forwarding, TrafficMatch

Word = tuple[str, ...]
"""``(address, port)`` of a filter, the port empty if it names none; ``(address,)`` whatever its ports, the address
empty if it names none; ``()`` for every rule."""

EVERY: Word = ()
MOST_PORTS = 64
"""Ports of a filter by each of which its rule is kept; one with more is among those for all ports."""


def words(forwarding: Forwarding) -> frozenset[Word]:
    """Under which a rule is kept."""
    return frozenset(word for match in forwarding.matches for word in _kept(match))


def asked(match: TrafficMatch) -> frozenset[Word]:
    """Under which all rules are that a filter may meet."""
    if not match.dst_address:
        return frozenset((EVERY,))
    if not (ports := _ports(match)):
        return frozenset([("",), *((address,) for address in match.dst_address)])
    return frozenset([("",), *((address, port) for address in match.dst_address for port in ("", *ports))])


def _kept(match: TrafficMatch) -> Iterator[Word]:
    yield EVERY
    for address in match.dst_address or ("",):
        yield (address,)
        for port in _ports(match) or ("",):
            yield (address, port)


def _ports(match: TrafficMatch) -> tuple[str, ...]:
    ports = match.dst_port or ()
    return ports if len(ports) <= MOST_PORTS else ()
