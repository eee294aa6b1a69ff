"""Every data plane: a protocol by any of its names or numbers is that one, for real packets, or is refused by name."""

from __future__ import annotations

import asyncio
import socket

import pytest

from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, Feature, TrafficMatch
from tests.bounds import SOON
from tests.contract.grounds import PORT, Ground, Run, dial, echo, lacks, rule, says, told


def ported(ground: Ground, *protocols: str) -> tuple[TrafficMatch, ...]:
    return (TrafficMatch(dst_address=(ground.virtual,), dst_port=(str(PORT),), protocol=protocols),)


async def test_a_connection_is_taken_by_its_protocol_however_it_is_written(ground: Ground, serve: Run) -> None:
    await serve(says(b"hello"))
    for written in ("6", "tcp", "TCP", " 006 "):
        await ground.plane.install("r", rule(ground, matches=ported(ground, written)))
        assert await told(ground) == b"hello"
        [kept] = await ground.plane.forwardings()
        assert kept.matches[0].protocol == (written,)  # as it was given


async def test_datagrams_are_taken_by_their_protocol_however_it_is_written(ground: Ground) -> None:
    loop = asyncio.get_running_loop()
    with ground.socket(ground.app, PORT, socket.SOCK_DGRAM) as app:
        for written in ("17", "udp", "UDP"):
            await ground.plane.install("r", rule(ground, matches=ported(ground, written)))
            with ground.socket(ground.device, 0, socket.SOCK_DGRAM) as device:
                device.sendto(written.encode(), (ground.virtual, PORT))
                async with asyncio.timeout(SOON):
                    assert await loop.sock_recv(app, 100) == written.encode()
            with pytest.raises(ConnectionError):
                await told(ground)


async def test_a_rule_written_anew_with_the_number_keeps_its_flows(ground: Ground, serve: Run) -> None:
    await serve(echo)
    await ground.plane.install("r", rule(ground, matches=ported(ground, "tcp")))
    reader, writer = await dial(ground)
    writer.write(b"before")
    assert await reader.readexactly(6) == b"before"
    await ground.plane.install("r", rule(ground, matches=ported(ground, "6")))
    writer.write(b"after")
    writer.write_eof()
    async with asyncio.timeout(SOON):
        assert await reader.read() == b"after"
    writer.close()


async def test_what_is_no_protocol_is_refused_with_what_would_be_right(ground: Ground) -> None:
    for written in ("tpc", "256", "-1", ""):
        with pytest.raises(Problem, match="protocol is not a protocol") as refused:
            await ground.plane.install("r", rule(ground, matches=ported(ground, "tcp", written)))
        assert refused.value.status == 400
        assert "or its number, 0 to 255" in refused.value.detail
    assert await ground.plane.forwardings() == []


async def test_ports_of_a_protocol_that_has_none_are_refused(ground: Ground) -> None:
    why = Feature.PACKET_PROTOCOLS.value if await lacks(ground, Feature.PACKET_PROTOCOLS) else "leave out srcPort"
    for written in ("gre", "50", "253", "ospf"):
        with pytest.raises(Problem) as refused:
            await ground.plane.install("r", rule(ground, matches=ported(ground, written)))
        assert refused.value.status == 400
        assert why in refused.value.detail
    assert await ground.plane.forwardings() == []


ASKS_FOR = {
    "icmp": Feature.ICMP,
    "1": Feature.ICMP,
    "icmpv6": Feature.ICMP,
    "gre": Feature.PACKET_PROTOCOLS,
    "ESP": Feature.PACKET_PROTOCOLS,
    "sctp": Feature.PACKET_PROTOCOLS,
    "0": Feature.PACKET_PROTOCOLS,
    "255": Feature.PACKET_PROTOCOLS,
}


async def test_a_protocol_is_carried_or_refused_by_what_the_data_plane_says_that_it_lacks(ground: Ground) -> None:
    lacking, carried = (await ground.plane.capabilities()).lacks, []
    for written, feature in ASKS_FOR.items():
        matches = (TrafficMatch(protocol=(written,)),)
        drops = rule(ground, written, matches=matches, action=Action.DROP, to_address=ABSENT, to_port=ABSENT)
        if (reason := lacking.get(feature)) is None:
            await ground.plane.install(written, drops)
            carried.append(drops)
            continue
        with pytest.raises(Problem) as refused:
            await ground.plane.install(written, drops)
        assert (refused.value.status, refused.value.detail) == (400, f"{feature.value}: {reason}")
    assert sorted(await ground.plane.forwardings(), key=str) == sorted(carried, key=str)
