"""The kernel's own table of flows: what passes by a rule now, and ending it (ctnetlink, /proc/net/nf_conntrack)."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from hanse.drivers.dataplane_nftables import netlink
from hanse.drivers.dataplane_nftables.namespaces import inside
from hanse.drivers.dataplane_nftables.netlink import attribute
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import Flow
from hanse.refpoints.mp2.protocols import ICMPV6, protocol_name, protocol_number

_TABLE = Path("/proc/thread-self/net/nf_conntrack")
_CHECKS = Path("/proc/sys/net/netfilter/nf_conntrack_checksum")
_DELETE = 1 << 8 | 2
_MARK, _MARK_MASK = 8, 21
_NESTED, _ORIGINAL = 0x8000, 1
_ENDED = {"LAST_ACK", "TIME_WAIT", "CLOSE"}
_SHORT, _OCTET = ">H", ">B"
_TOLD_APART = {
    "sport": (2, _SHORT),
    "dport": (3, _SHORT),
    "srckey": (2, _SHORT),
    "dstkey": (3, _SHORT),
    "id": (4, _SHORT),
    "type": (5, _OCTET),
    "code": (6, _OCTET),
}
"""What tells flows between two addresses apart, as the table prints it: ports, keys of GRE, the parts of a ping; with
its attribute (`nfnetlink_conntrack.h`) and size. Any other protocol has one flow between two addresses."""
_OF_ICMPV6 = {4: 7, 5: 8, 6: 9}


class Tracked(NamedTuple):
    """A flow of the rule with this number; ``said`` is what the kernel knows of the device's first packet."""

    mark: int
    flow: Flow
    said: Mapping[str, str]


def flows(namespace: str) -> list[Tracked]:
    """Flows that are open now, with the number of their rule; the ``rule_id`` of each is empty."""
    with inside(namespace):
        table = _TABLE.read_text()
    return list(read(table))


def begin(namespace: str) -> None:
    """Know no flow, and leave checksums to the ends: the kernel takes those of UDP-Lite for bad ones of UDP."""
    with inside(namespace):
        _CHECKS.write_text("0")
    cut(namespace, 0)


def cut(namespace: str, mark: int) -> None:
    """Forget the flows of a rule: their next packet is decided anew. 0: those of all rules and of none."""
    mask = 0xFFFFFFFF if mark else 0
    said = struct.pack("=BBH", socket.AF_UNSPEC, 0, 0) + _number(_MARK, mark) + _number(_MARK_MASK, mask)
    _told(namespace, [said])


def forget(namespace: str, flows: Iterable[Tracked]) -> None:
    """Forget single flows; one that has ended by itself is no error."""
    _told(namespace, [named(each) for each in flows])


def named(tracked: Tracked) -> bytes:
    """A flow as the kernel is told of it: by what the device said first."""
    source, target = ip_address(tracked.flow.src_address), ip_address(tracked.flow.dst_address)
    four = source.version == 4
    of_source, of_target = (1, 2) if four else (3, 4)
    addresses = attribute(of_source, source.packed) + attribute(of_target, target.packed)
    number = protocol_number(tracked.flow.protocol, "protocol")
    protocol = attribute(1, bytes([number])) + b"".join(_parts(tracked.said, _OF_ICMPV6 if number == ICMPV6 else {}))
    tuples = attribute(_NESTED | 1, addresses) + attribute(_NESTED | 2, protocol)
    family = socket.AF_INET if four else socket.AF_INET6
    return struct.pack("=BBH", family, 0, 0) + attribute(_NESTED | _ORIGINAL, tuples)


def _parts(said: Mapping[str, str], other: Mapping[int, int]) -> Iterator[bytes]:
    for word, (kind, size) in _TOLD_APART.items():
        if word in said:
            yield attribute(other.get(kind, kind), struct.pack(size, int(said[word], 0)))


def _told(namespace: str, said: Iterable[bytes]) -> None:
    """Tell the kernel to delete what is said, one after the other."""
    with inside(namespace):
        errors = set(netlink.answers(netlink.NETFILTER, _DELETE, said)) - {0, errno.ENOENT}
    if errors:
        raise Problem(500, "Flows cannot be cut", f"the kernel refused it with error {min(errors)}")


def read(table: str) -> Iterator[Tracked]:
    """The flows of a table as the kernel prints it, but those that are over."""
    for line in table.splitlines():
        words = line.split()
        pairs = [word.split("=", 1) for word in words if "=" in word]
        said, answered = dict(reversed(pairs)), dict(pairs)  # of two directions the first, and the last
        if int(said.get("mark", 0)) and not _ENDED & set(words):
            yield Tracked(int(said["mark"]), _flow(int(words[3]), said, answered), said)


def _flow(protocol: int, said: dict[str, str], answered: dict[str, str]) -> Flow:
    """The application answers whom it sees: where its answers go is its peer."""
    return Flow(
        rule_id="",
        protocol=protocol_name(protocol),
        src_address=str(ip_address(said["src"])),
        src_port=int(said.get("sport", 0)),
        dst_address=str(ip_address(said["dst"])),
        dst_port=int(said.get("dport", 0)),
        peer_address=str(ip_address(answered["dst"])),
        peer_port=int(answered.get("dport", 0)),
    )


def _number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack(">I", value))
