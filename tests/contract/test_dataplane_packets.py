"""The data plane that sees packets: protocols with ports of their own kind, headers before others, both IP versions."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from hanse.drivers.dataplane_nftables.namespaces import inside
from hanse.refpoints.mp2 import Action, TrafficMatch
from tests.bounds import SOON
from tests.contract.grounds import Namespaces, rule
from tests.contract.raw import Raw, joined


@pytest.fixture
async def spaces() -> AsyncIterator[Namespaces]:
    """The driver that sees packets; that user space refuses these rules is tested in `test_dataplane_protocols`."""
    async with joined() as spaces:
        yield spaces


async def test_an_authentication_header_of_ipv6_is_found_before_what_it_authenticates(spaces: Namespaces) -> None:
    """The kernel takes such a packet for one of the protocol that follows: here of 253, which no rule names."""
    match = TrafficMatch(dst_address=(spaces.virtual6,), protocol=("AH",))
    await spaces.plane.install("r", rule(spaces, matches=(match,), to_address=spaces.app6))
    with (
        Raw(spaces, spaces.device6, "ah") as device,
        Raw(spaces, spaces.app6, "ah") as app,
        Raw(spaces, spaces.device6, "253") as without,
        Raw(spaces, spaces.app6, "253") as hears,
    ):
        without.say(spaces.virtual6)
        assert await hears.hears_nothing()
        device.say(spaces.virtual6)
        assert await app.heard() == (spaces.device6, device.word)
    [counters] = await spaces.plane.counters()
    assert counters.flows == 1


async def test_who_forwards_every_protocol_to_one_address_brings_none_of_the_other_ip_version(
    spaces: Namespaces,
) -> None:
    """Nothing would take its address away: it would go where it was sent, past all rules."""
    await spaces.plane.install("r", rule(spaces, matches=(TrafficMatch(protocol=("253",)),)))
    with (
        Raw(spaces, spaces.device, "253") as four,
        Raw(spaces, spaces.device6, "253") as six,
        Raw(spaces, spaces.app, "253") as app,
        Raw(spaces, spaces.app6, "253") as app6,
    ):
        four.say(spaces.virtual)
        assert (await app.heard())[1] == four.word
        six.say(spaces.app6)
        assert await app6.hears_nothing()
        await spaces.plane.install("6", rule(spaces, "6", matches=(TrafficMatch(),), action=Action.PASSTHROUGH))
        six.say(spaces.app6)
        await app6.heard()


async def test_datagrams_of_udp_lite_are_told_apart_and_turned_by_ports(spaces: Namespaces) -> None:
    match = TrafficMatch(dst_address=(spaces.virtual,), dst_port=("5000",), protocol=("UDPLite",))
    await spaces.plane.install("r", rule(spaces, matches=(match,), to_port=6000))
    loop = asyncio.get_running_loop()
    with udplite(spaces, spaces.device, 4000) as device, udplite(spaces, spaces.app, 6000) as app:
        device.sendto(b"not here", (spaces.virtual, 5001))
        device.sendto(b"here", (spaces.virtual, 5000))
        async with asyncio.timeout(SOON):
            word, sender = await loop.sock_recvfrom(app, 100)
            app.sendto(word.upper(), sender)
            assert await loop.sock_recvfrom(device, 100) == (b"HERE", (spaces.virtual, 5000))
        assert sender[0] == spaces.own
        [flow] = await spaces.plane.flows()
    assert (flow.protocol, flow.src_port, flow.dst_port) == ("udplite", 4000, 5000)


def udplite(spaces: Namespaces, at: str, port: int) -> socket.socket:
    with inside(spaces.space(at)):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDPLITE)
    sock.setblocking(False)
    sock.bind((at, port))
    return sock


async def test_an_association_of_sctp_is_told_apart_and_turned_by_ports(spaces: Namespaces) -> None:
    match = TrafficMatch(dst_address=(spaces.virtual,), dst_port=("5000",), protocol=("sctp",))
    await spaces.plane.install("r", rule(spaces, matches=(match,), to_port=6000))
    with Raw(spaces, spaces.device, "sctp") as device, Raw(spaces, spaces.app, "sctp") as app:
        for port in (5001, 5000):
            device.say(spaces.virtual, sctp(4000, port))
        _, packet = await app.heard()
        assert struct.unpack_from(">HH", packet) == (4000, 6000)
        [flow] = await spaces.plane.flows()
        assert (flow.protocol, flow.src_port, flow.dst_port) == ("sctp", 4000, 5000)
        await spaces.plane.withdraw("r")
        assert await spaces.plane.flows() == []


def sctp(sport: int, dport: int) -> bytes:
    """The first packet of an association, with an INIT of nothing but what must be (RFC 9260, 3.3.2)."""
    init = struct.pack(">BBHIIHHI", 1, 0, 20, 7, 65535, 1, 1, 1)
    head = struct.pack(">HHI", sport, dport, 0)
    return head + struct.pack("<I", crc32c(head + b"\0\0\0\0" + init)) + init


def crc32c(said: bytes) -> int:
    """The checksum of SCTP (RFC 9260, appendix A)."""
    rest = 0xFFFFFFFF
    for byte in said:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ (0x82F63B78 if rest & 1 else 0)
    return rest ^ 0xFFFFFFFF
