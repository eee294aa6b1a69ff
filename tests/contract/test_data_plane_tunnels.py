"""Devices behind base stations: what comes in GTP-U reaches applications, and what answers goes back in it."""

from __future__ import annotations

import asyncio
import random
import socket

import pytest

from hanse.refpoints.mp2 import TrafficMatch
from tests.bounds import SOON
from tests.contract.air import BaseStation
from tests.contract.grounds import PORT, Run, echo, rule
from tests.contract.radio import Radio, counters, said_to, to_app

MEGABYTE = random.Random(5).randbytes(1_000_000)


async def test_every_byte_of_a_device_behind_a_base_station_arrives_and_comes_back(
    radio: Radio, mast: BaseStation, serve_radio: Run
) -> None:
    peers: list[str] = []

    async def noting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername")[0])
        await echo(reader, writer)

    await serve_radio(noting)
    await radio.plane.install("r", to_app(radio))
    assert await said_to(radio, MEGABYTE) == MEGABYTE
    assert peers == [radio.own]
    assert {(m.teid, m.sender) for m in mast.down} == {(radio.usual.teid_down, (radio.plane_end, 2152))}
    found = await counters(radio)
    assert (found.flows, found.refused) == (1, 0)
    assert 1_000_000 < found.bytes_up < 2_000_000  # once, with headers, and what TCP says again if queues are full
    assert 1_000_000 < found.bytes_down < 2_000_000


async def test_ipv6_goes_in_the_same_tunnels(radio: Radio, mast: BaseStation) -> None:
    app = radio.socket(radio.app6, PORT, socket.SOCK_DGRAM)
    device = radio.socket(radio.ue6, 0, socket.SOCK_DGRAM)
    match = TrafficMatch(dst_address=(radio.virtual6,), dst_port=(str(PORT),), protocol=("udp",))
    await radio.plane.install("r", rule(radio, matches=(match,), to_address=radio.app6))
    loop = asyncio.get_running_loop()
    with app, device:
        async with asyncio.timeout(SOON):
            await loop.sock_sendto(device, b"six", (radio.virtual6, PORT))
            word, sender = await loop.sock_recvfrom(app, 100)
            await loop.sock_sendto(app, word.upper(), sender)
            assert await loop.sock_recv(device, 100) == b"SIX"
    assert mast.down[-1].teid == radio.usual.teid_down


async def test_a_device_that_no_rule_lets_in_is_reset_through_its_tunnel(radio: Radio, mast: BaseStation) -> None:
    with pytest.raises(ConnectionError):
        await said_to(radio)
    assert mast.down
