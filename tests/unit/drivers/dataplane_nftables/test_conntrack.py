"""The kernel's table of flows, read."""

from __future__ import annotations

import struct

import pytest

from hanse.drivers.dataplane_nftables.conntrack import named, read
from hanse.refpoints.mp2 import Flow

TABLE = """\
ipv4     2 tcp      6 431999 ESTABLISHED src=10.64.1.10 dst=10.66.0.1 sport=40000 dport=80 src=10.65.1.3 dst=10.65.0.1 \
sport=8080 dport=40000 [ASSURED] mark=7 use=1
ipv4     2 tcp      6 119 TIME_WAIT src=10.64.1.10 dst=10.66.0.1 sport=40001 dport=80 src=10.65.1.3 dst=10.65.0.1 \
sport=8080 dport=40001 [ASSURED] mark=7 use=1
ipv4     2 tcp      6 60 CLOSE_WAIT src=10.64.1.10 dst=10.66.0.1 sport=40002 dport=80 src=10.65.1.3 dst=10.65.0.1 \
sport=8080 dport=61234 [ASSURED] mark=7 use=1
ipv6     10 udp      17 29 src=fd00:0064:0000:0000:0000:0000:0000:0010 dst=fd00:0066:0000:0000:0000:0000:0000:0001 \
sport=5 dport=6 [UNREPLIED] src=fd00:0065:0001:0000:0000:0000:0000:0003 dst=fd00:0065:0000:0000:0000:0000:0000:0001 \
sport=6 dport=5 mark=8 use=1
ipv4     2 icmp     1 29 src=10.64.1.10 dst=10.66.0.1 type=8 code=0 id=1 src=10.65.1.3 dst=10.65.0.1 type=0 code=0 \
id=1 mark=9 use=1
ipv4     2 udp      17 29 src=10.64.1.10 dst=10.64.1.1 sport=1 dport=2 src=10.64.1.1 dst=10.64.1.10 sport=2 dport=1 \
mark=0 use=1
ipv4     2 gre      47 29 timeout=30, stream_timeout=180 src=10.64.1.10 dst=10.66.0.1 srckey=0x0 dstkey=0xff10 \
[UNREPLIED] src=10.65.1.3 dst=10.64.1.10 srckey=0xff10 dstkey=0x0 mark=10 use=1
ipv4     2 unknown  50 599 src=10.64.1.10 dst=10.66.0.1 src=10.65.1.3 dst=10.64.1.10 mark=11 use=1
ipv6     10 icmpv6   58 29 src=fd00:0064:0000:0000:0000:0000:0000:0010 dst=fd00:0066:0000:0000:0000:0000:0000:0001 \
type=128 code=0 id=77 src=fd00:0065:0001:0000:0000:0000:0000:0003 dst=fd00:0065:0000:0000:0000:0000:0000:0001 \
type=129 code=0 id=77 mark=12 use=1
ipv4     2 unknown  253 599 src=10.64.1.10 dst=10.66.0.1 src=10.65.1.3 dst=10.64.1.10 mark=13 use=1
"""


def flow(protocol: str, src: str, src_port: int, dst: str, dst_port: int, peer: tuple[str, int]) -> Flow:
    return Flow(
        rule_id="",
        protocol=protocol,
        src_address=src,
        src_port=src_port,
        dst_address=dst,
        dst_port=dst_port,
        peer_address=peer[0],
        peer_port=peer[1],
    )


def test_open_flows_are_told_as_the_device_dialled_and_those_that_are_over_are_not() -> None:
    assert [(tracked.mark, tracked.flow) for tracked in read(TABLE)] == [
        (7, flow("tcp", "10.64.1.10", 40000, "10.66.0.1", 80, ("10.65.0.1", 40000))),
        (7, flow("tcp", "10.64.1.10", 40002, "10.66.0.1", 80, ("10.65.0.1", 61234))),
        (8, flow("udp", "fd00:64::10", 5, "fd00:66::1", 6, ("fd00:65::1", 5))),
        (9, flow("icmp", "10.64.1.10", 0, "10.66.0.1", 0, ("10.65.0.1", 0))),
        (10, flow("gre", "10.64.1.10", 0, "10.66.0.1", 0, ("10.64.1.10", 0))),
        (11, flow("esp", "10.64.1.10", 0, "10.66.0.1", 0, ("10.64.1.10", 0))),
        (12, flow("ipv6-icmp", "fd00:64::10", 0, "fd00:66::1", 0, ("fd00:65::1", 0))),
        (13, flow("253", "10.64.1.10", 0, "10.66.0.1", 0, ("10.64.1.10", 0))),
    ]


@pytest.mark.parametrize(
    ("mark", "parts"),
    [
        (8, {1: b"\x11", 2: b"\x00\x05", 3: b"\x00\x06"}),
        (9, {1: b"\x01", 4: b"\x00\x01", 5: b"\x08", 6: b"\x00"}),
        (10, {1: b"\x2f", 2: b"\x00\x00", 3: b"\xff\x10"}),
        (11, {1: b"\x32"}),
        (12, {1: b"\x3a", 7: b"\x00\x4d", 8: b"\x80", 9: b"\x00"}),
        (13, {1: b"\xfd"}),
    ],
)
def test_a_flow_is_named_by_all_that_tells_it_from_another_and_nothing_else(mark: int, parts: dict[int, bytes]) -> None:
    [tracked] = [each for each in read(TABLE) if each.mark == mark]
    original = attributes(named(tracked)[4:])[1]
    assert attributes(attributes(original)[2]) == parts


def attributes(packed: bytes) -> dict[int, bytes]:
    """Of netlink, by kind without the flag for nested ones."""
    found = {}
    while packed:
        length, kind = struct.unpack_from("=HH", packed)
        found[kind & 0x7FFF] = packed[4:length]
        packed = packed[length + 3 & ~3 :]
    return found
