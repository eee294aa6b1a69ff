"""The kernel's data plane forgets single flows of a changed rule, of either IP version, and no others."""

from __future__ import annotations

import asyncio

import pytest

from hanse.refpoints.mp2 import TrafficMatch
from tests.bounds import SOON
from tests.contract.grounds import PORT, Namespaces, applications, begun, connected, echo, rule

OLD, GONE, MANY = 40_000, 40_001, 300


async def alive(streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bool:
    """Whether an echo still answers."""
    reader, writer = streams
    writer.write(b"?")
    try:
        async with asyncio.timeout(SOON):
            return await reader.readexactly(1) == b"?"
    except (ConnectionError, asyncio.IncompleteReadError):
        return False


@pytest.mark.timeout(120)
@pytest.mark.parametrize("six", [False, True], ids=["IPv4", "IPv6"])
async def test_a_flow_is_cut_by_its_ports_and_hundreds_of_others_of_its_rule_and_device_live_on(six: bool) -> None:
    async with begun(Namespaces) as spaces, applications(spaces) as serve:
        virtual, app, device = (
            (spaces.virtual6, spaces.app6, spaces.device6) if six else (spaces.virtual, spaces.app, spaces.device)
        )
        await serve(echo, app)

        def by(*ports: str) -> TrafficMatch:
            return TrafficMatch(dst_address=(virtual,), src_port=ports, dst_port=(str(PORT),), protocol=("tcp",))

        await spaces.plane.install("r", rule(spaces, matches=(by("40000-40999"),), to_address=app))
        flows = {port: await connected(spaces.socket(device, port), (virtual, PORT)) for port in range(OLD, OLD + MANY)}
        await spaces.plane.install("r", rule(spaces, matches=(by("40000", "40002-40999"),), to_address=app))
        assert [port for port, streams in flows.items() if not await alive(streams)] == [GONE]
        for _, writer in flows.values():
            writer.close()
