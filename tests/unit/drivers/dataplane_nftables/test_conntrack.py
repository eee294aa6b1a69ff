"""The kernel's table of flows, read."""

from __future__ import annotations

from hanse.drivers.dataplane_nftables.conntrack import read
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
    assert list(read(TABLE)) == [
        (7, flow("tcp", "10.64.1.10", 40000, "10.66.0.1", 80, ("10.65.0.1", 40000))),
        (7, flow("tcp", "10.64.1.10", 40002, "10.66.0.1", 80, ("10.65.0.1", 61234))),
        (8, flow("udp", "fd00:64::10", 5, "fd00:66::1", 6, ("fd00:65::1", 5))),
        (9, flow("icmp", "10.64.1.10", 0, "10.66.0.1", 0, ("10.65.0.1", 0))),
    ]
