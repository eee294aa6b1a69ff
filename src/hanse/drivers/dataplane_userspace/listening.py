"""Where a rule has to listen, so that what it describes comes here at all (pure).

A filter for a few addresses and ports needs a socket for each. One for more addresses needs one at every address for
each port; the kernel gives it what no other socket is closer to. One for more ports listens on those at which its
destination does, and follows these as they come and go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address
from itertools import islice, product
from typing import NamedTuple

from hanse.drivers.dataplane_userspace.endpoints import ANYWHERE, LACKS, LOOPBACK, Endpoint, copies, is_loopback
from hanse.drivers.dataplane_userspace.rules import Filter, Rule
from hanse.kit.problems import bad_request
from hanse.kit.values import Absent
from hanse.refpoints.mp2 import Action, Forwarding
from hanse.refpoints.mp2.ranges import AddressRange, PortRange

MOST_SOCKETS = 512
"""Sockets that one filter may need: a /24 for both protocols; more would take more of the machine than it is worth."""
EVERY_PORT = PortRange(1, 65535)

Heard = Mapping[tuple[str, str], Sequence[int]]
"""The ports at which somebody listens, by protocol and address."""


class Followed(NamedTuple):
    """Addresses at which to listen on those ports of ``ports`` at which ``destination`` does."""

    protocols: tuple[str, ...]
    addresses: tuple[str, ...]
    ports: tuple[PortRange, ...]
    destination: str

    def endpoints(self, heard: Heard) -> Iterator[Endpoint]:
        """As it is now: at each address, but at that of the destination itself, which has them."""
        for protocol in self.protocols:
            ports = [p for p in heard.get((protocol, self.destination), ()) if any(run.has(p) for run in self.ports)]
            for port, address in product(ports, self.addresses):
                if address != self.destination:
                    yield Endpoint(protocol, address, port)


class Listening(NamedTuple):
    """The sockets that a rule must have, and what says which others it needs."""

    fixed: frozenset[Endpoint] = frozenset()
    followed: tuple[Followed, ...] = ()

    def following(self, heard: Heard) -> frozenset[Endpoint]:
        """The other sockets that it needs now, ``MOST_SOCKETS`` of a filter at most."""
        found = (endpoint for each in self.followed for endpoint in islice(each.endpoints(heard), MOST_SOCKETS))
        return frozenset(found) - self.fixed


def listening(rule: Rule) -> Listening:
    """Where to listen for a rule; 400 tells what user space cannot carry out.

    A DROP rule needs no socket: it takes flows away from the rules that listen. Nor does one that copies: it copies
    what passes by them. Nor does PASSTHROUGH to where it was sent: the kernel brings it there.
    """
    forwarding = rule.forwarding
    if forwarding.action is Action.DROP:
        return Listening()
    _check_target(forwarding)
    if copies(forwarding) or isinstance(forwarding.to_address, Absent):
        return Listening()
    each = [_listening(rule, described) for described in rule.filters]
    return Listening(
        frozenset(endpoint for one in each for endpoint in one.fixed),
        tuple(followed for one in each for followed in one.followed),
    )


def _check_target(forwarding: Forwarding) -> None:
    if isinstance(forwarding.to_address, Absent):
        if forwarding.action is Action.PASSTHROUGH:
            return
        raise bad_request("toAddress is missing", f"a rule that does {forwarding.action} needs an address to go to")
    _check_address("toAddress", forwarding.to_address)
    if not isinstance(forwarding.core_address, Absent):
        _check_address("coreAddress", forwarding.core_address)
    if not isinstance(forwarding.to_port, Absent) and not 0 < forwarding.to_port < 65536:
        raise bad_request("toPort is not a port", f"write a port between 1 and 65535; got {forwarding.to_port}")


def _check_address(name: str, text: str) -> None:
    try:
        IPv4Address(text)
    except ValueError:
        detail = f"write an address like 127.3.0.7; got {text!r}"
        raise bad_request(f"{name} is not an IPv4 address", detail) from None


def _listening(rule: Rule, described: Filter) -> Listening:
    """For one filter. Of addresses and ports, those that are more are not written out."""
    addresses = _addresses(described)
    ports = described.dst_port if described.dst_port is not None else (EVERY_PORT,)
    protocols = tuple(dict.fromkeys(described.protocols))
    many_addresses, many_ports = sum(a.size for a in addresses), sum(p.size for p in ports)
    if (needed := many_addresses * many_ports * len(protocols)) <= MOST_SOCKETS:
        return Listening(_each(rule, protocols, addresses, ports) if needed else frozenset())
    if many_addresses <= min(many_ports, MOST_SOCKETS):
        return Listening(followed=(_followed(rule, protocols, addresses, ports),))
    if many_ports * len(protocols) <= MOST_SOCKETS:
        return _everywhere(rule, protocols, ports)
    if rule.forwarding.action is Action.PASSTHROUGH:
        return Listening()
    detail = f"name at most {MOST_SOCKETS} addresses in 127.0.0.0/8, or ports; {LACKS['every address']}"
    raise bad_request("dstAddress and dstPort are too wide", detail)


def _addresses(described: Filter) -> tuple[AddressRange, ...]:
    """Those on loopback, where it can be listened; a range that has none there is refused."""
    if described.dst_address is None:
        return (LOOPBACK,)
    found = []
    for wanted in described.dst_address:
        low, high = max(wanted.low, LOOPBACK.low), min(wanted.high, LOOPBACK.high)
        if wanted.version != LOOPBACK.version or low > high:
            raise bad_request("dstAddress cannot be listened on", LACKS["addresses"])
        found.append(AddressRange(wanted.version, low, high))
    return tuple(found)


def _each(
    rule: Rule, protocols: Iterable[str], addresses: Iterable[AddressRange], ports: Iterable[PortRange]
) -> frozenset[Endpoint]:
    """Every one but the destination itself, which the application has."""
    texts = [address for span in addresses for address in span.addresses()]
    every = product(protocols, texts, _numbers(ports))
    found = frozenset(Endpoint(*one) for one in every if rule.target(one[2]) != one[1:])
    if not found and rule.forwarding.action is not Action.PASSTHROUGH:
        detail = f"{rule.forwarding.to_address} would be forwarded to itself; give another target"
        raise bad_request("toAddress is where the rule listens", detail)
    return found


def _numbers(ports: Iterable[PortRange]) -> list[int]:
    return [port for run in ports for port in run.ports()]


def _followed(
    rule: Rule, protocols: tuple[str, ...], addresses: Iterable[AddressRange], ports: tuple[PortRange, ...]
) -> Followed:
    texts = tuple(dict.fromkeys(address for span in addresses for address in span.addresses()))
    return Followed(protocols, texts, ports, str(rule.forwarding.to_address))


def _everywhere(rule: Rule, protocols: Iterable[str], ports: Iterable[PortRange]) -> Listening:
    numbers = _numbers(ports)
    taken = [port for port in numbers if rule.target(port)[1] == port and is_loopback(rule.target(port)[0])]
    if taken and rule.forwarding.action is Action.PASSTHROUGH:
        return Listening()
    if taken:
        detail = f"port {taken[0]} would be taken from {rule.target(taken[0])[0]} itself; {LACKS['every address']}"
        raise bad_request("dstAddress is too wide", detail)
    return Listening(frozenset(Endpoint(protocol, ANYWHERE, port) for protocol, port in product(protocols, numbers)))
