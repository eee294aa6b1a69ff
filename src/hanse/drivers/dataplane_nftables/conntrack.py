"""The kernel's own table of flows: what passes by a rule now, and ending it (ctnetlink, /proc/net/nf_conntrack)."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path

from hanse.drivers.dataplane_nftables import netlink
from hanse.drivers.dataplane_nftables.namespaces import inside
from hanse.drivers.dataplane_nftables.netlink import attribute
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import Flow

_TABLE = Path("/proc/thread-self/net/nf_conntrack")
_DELETE = 1 << 8 | 2
_MARK, _MARK_MASK = 8, 21
_NESTED, _ORIGINAL = 0x8000, 1
PORTED = {"tcp": 6, "udp": 17, "sctp": 132}
"""Protocols with ports, whose flows can be told from each other by these."""
_ENDED = {"LAST_ACK", "TIME_WAIT", "CLOSE"}


def flows(namespace: str) -> list[tuple[int, Flow]]:
    """Flows that are open now by the number of their rule; ``rule_id`` is empty. ICMP has no ports: both are 0."""
    with inside(namespace):
        table = _TABLE.read_text()
    return list(read(table))


def cut(namespace: str, mark: int) -> None:
    """Forget the flows of a rule: their next packet is decided anew. 0: those of all rules and of none."""
    mask = 0xFFFFFFFF if mark else 0
    said = struct.pack("=BBH", socket.AF_UNSPEC, 0, 0) + _number(_MARK, mark) + _number(_MARK_MASK, mask)
    _told(namespace, [said])


def forget(namespace: str, flows: Iterable[Flow]) -> None:
    """Forget single flows of protocols with ports; one that has ended by itself is no error."""
    _told(namespace, [_named(flow) for flow in flows])


def _named(flow: Flow) -> bytes:
    """A flow by what the device said first."""
    source, target = ip_address(flow.src_address), ip_address(flow.dst_address)
    of_source, of_target = (1, 2) if source.version == 4 else (3, 4)
    ports = (struct.pack(">H", port) for port in (flow.src_port, flow.dst_port))
    addresses = attribute(of_source, source.packed) + attribute(of_target, target.packed)
    protocol = attribute(1, bytes([PORTED[flow.protocol]])) + b"".join(map(attribute, (2, 3), ports))
    family = socket.AF_INET if source.version == 4 else socket.AF_INET6
    tuples = attribute(_NESTED | 1, addresses) + attribute(_NESTED | 2, protocol)
    return struct.pack("=BBH", family, 0, 0) + attribute(_NESTED | _ORIGINAL, tuples)


def _told(namespace: str, said: Iterable[bytes]) -> None:
    """Tell the kernel to delete what is said, one after the other."""
    with inside(namespace):
        errors = set(netlink.answers(netlink.NETFILTER, _DELETE, said)) - {0, errno.ENOENT}
    if errors:
        raise Problem(500, "Flows cannot be cut", f"the kernel refused it with error {min(errors)}")


def read(table: str) -> Iterator[tuple[int, Flow]]:
    """The flows of a table as the kernel prints it, but those that are over."""
    for line in table.splitlines():
        words = line.split()
        pairs = [word.split("=", 1) for word in words if "=" in word]
        said, answered = dict(reversed(pairs)), dict(pairs)  # of two directions the first, and the last
        if int(said.get("mark", 0)) and not _ENDED & set(words):
            yield int(said["mark"]), _flow(words[2], said, answered)


def _flow(protocol: str, said: dict[str, str], answered: dict[str, str]) -> Flow:
    """The application answers whom it sees: where its answers go is its peer."""
    return Flow(
        rule_id="",
        protocol=protocol,
        src_address=str(ip_address(said["src"])),
        src_port=int(said.get("sport", 0)),
        dst_address=str(ip_address(said["dst"])),
        dst_port=int(said.get("dport", 0)),
        peer_address=str(ip_address(answered["dst"])),
        peer_port=int(answered.get("dport", 0)),
    )


def _number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack(">I", value))
