"""Interfaces of type MAC: frames to an Ethernet address, from one, and copies there; packets stay as they are."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hanse.drivers.dataplane_nftables.namespaces import batch, inside
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, Ethernet, TrafficMatch
from tests.bounds import SOON
from tests.contract.appliance import APP, OTHER, PLANE, Appliance, frames_of, to_mac, told, words
from tests.contract.grounds import PORT, applications, begun, echo, rule


@pytest.fixture
async def spaces() -> AsyncIterator[Appliance]:
    async with begun(Appliance) as ground:
        yield ground


def datagrams(spaces: Appliance, *sources: str) -> tuple[TrafficMatch, ...]:
    virtual, port = (spaces.virtual,), (str(PORT),)
    return (TrafficMatch(src_address=sources or ABSENT, dst_address=virtual, dst_port=port, protocol=("udp",)),)


async def echo_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await echo(reader, writer)
    writer.close()


async def test_an_application_is_reached_by_its_ethernet_address_and_answers_to_the_planes(spaces: Appliance) -> None:
    peers: list[str] = []

    async def noting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername")[0])
        await echo_once(reader, writer)

    await spaces.plane.install("r", to_mac(spaces))
    async with await asyncio.start_server(noting, sock=spaces.within(spaces.virtual)):
        assert await told(spaces, spaces.device, spaces.virtual) == b"by frame"
    assert peers == [spaces.device]  # packets are not changed
    [found] = await spaces.plane.counters()
    assert (found.flows, found.bytes_up > 8, found.bytes_down > 8) == (1, True, True)


async def test_ipv6_goes_to_the_same_interface(spaces: Appliance) -> None:
    match = TrafficMatch(dst_address=(spaces.virtual6,), dst_port=(str(PORT),), protocol=("tcp",))
    await spaces.plane.install("r", to_mac(spaces, matches=(match,)))
    async with await asyncio.start_server(echo_once, sock=spaces.within(spaces.virtual6)):
        assert await told(spaces, spaces.device6, spaces.virtual6) == b"by frame"


async def test_frames_say_whom_they_are_from(spaces: Appliance) -> None:
    await spaces.plane.install("r", to_mac(spaces, matches=datagrams(spaces)))
    named = {"matches": datagrams(spaces, spaces.stranger), "to_mac": Ethernet(dst_address=OTHER)}
    await spaces.plane.install("s", to_mac(spaces, rule_id="s", priority=1, **named))
    with frames_of(spaces) as frames:
        for source, word in ((spaces.device, b"ours"), (spaces.stranger, b"link")):
            with spaces.socket(source, 0, socket.SOCK_DGRAM) as device:
                device.sendto(word, (spaces.virtual, PORT))
        seen: list[tuple[str, str, bytes]] = []
        async with asyncio.timeout(SOON):
            while len(seen) < 2:
                await asyncio.sleep(0.05)
                seen += words(frames)
    assert (APP, PLANE, b"ours") in seen
    assert [(to, sender in (APP, PLANE)) for to, sender, word in seen if word == b"link"] == [(OTHER, False)]


async def test_a_withdrawn_rule_leaves_no_way(spaces: Appliance) -> None:
    await spaces.plane.install("r", to_mac(spaces))
    await spaces.plane.withdraw("r")
    async with await asyncio.start_server(echo_once, sock=spaces.within(spaces.virtual)):
        with pytest.raises(ConnectionError):
            await told(spaces, spaces.device, spaces.virtual)
    await spaces.plane.install("r", rule(spaces))
    async with applications(spaces) as serve:
        await serve(echo)
        assert await told(spaces, spaces.device, spaces.virtual) == b"by frame"


def copied(frames: socket.socket) -> list[tuple[str, bytes]]:
    """To whom, and the word, of the copies that came since."""
    return [(to, word) for to, _, word in words(frames) if to in (APP, OTHER)]


async def test_copies_go_to_ethernet_addresses_and_none_goes_round_although_their_receiver_forwards(
    spaces: Appliance,
) -> None:
    await spaces.plane.install("r", rule(spaces, matches=datagrams(spaces)))
    copies = {"action": Action.DUPLICATE_DECAPSULATED, "core_mac": Ethernet(dst_address=OTHER)}
    await spaces.plane.install("tap", to_mac(spaces, rule_id="tap", matches=datagrams(spaces), **copies))
    with inside(spaces.box):
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    await batch([f"address delete {spaces.virtual}/32 dev eth0"], spaces.box)  # so that it sends copies on
    app = spaces.socket(spaces.app, PORT, socket.SOCK_DGRAM)
    device = spaces.socket(spaces.device, 0, socket.SOCK_DGRAM)
    loop = asyncio.get_running_loop()
    with app, device, frames_of(spaces) as frames:
        async with asyncio.timeout(SOON):
            await loop.sock_sendto(device, b"word", (spaces.virtual, PORT))
            got, sender = await loop.sock_recvfrom(app, 100)
            await loop.sock_sendto(app, got.upper(), sender)
            assert await loop.sock_recv(device, 100) == b"WORD"
        seen: list[tuple[str, bytes]] = []
        async with asyncio.timeout(SOON):
            while len(seen) < 2:
                await asyncio.sleep(0.05)
                seen += copied(frames)
        await asyncio.sleep(0.3)  # nothing else follows
        assert seen + copied(frames) == [(APP, b"word"), (OTHER, b"WORD")]
        with pytest.raises(BlockingIOError):
            app.recv(100)
    found = {c.rule_id: c for c in await spaces.plane.counters()}
    assert (found["r"].flows, found["tap"].bytes_up, found["tap"].bytes_down) == (1, 32, 32)


@pytest.mark.parametrize("address", ["02:00:5e:10:00", "01:00:5e:00:00:01", "eth0", "02-00-5e-10-00-0g"])
async def test_what_is_no_ethernet_address_is_refused_by_name(spaces: Appliance, address: str) -> None:
    for name in ("dst", "src"):
        values = {"dst_address": APP} | {f"{name}_address": address}
        with pytest.raises(Problem, match=f"toMac.{name}Address is not a MAC address"):
            await spaces.plane.install("r", to_mac(spaces, to_mac=Ethernet(**values)))


async def test_a_mac_interface_is_no_address_as_well(spaces: Appliance) -> None:
    with pytest.raises(Problem, match="exclude each other"):
        await spaces.plane.install("r", to_mac(spaces, to_address=spaces.app))
    with pytest.raises(Problem, match="toAddress is missing"):
        await spaces.plane.install("r", to_mac(spaces, to_mac=ABSENT))
