"""Ten thousand rules in the kernel: changing one touches no flow of another."""

from __future__ import annotations

import asyncio

import pytest

from hanse.refpoints.mp2 import FilterType, Forwarding, TrafficMatch
from tests.contract.grounds import PORT, Namespaces, applications, begun, connected, echo, rule

MANY = 10_000
CHUNK = bytes(range(256)) * 256


def other(spaces: Namespaces, n: int, port: int = 80) -> Forwarding:
    """A rule for a virtual address that nobody dials."""
    match = TrafficMatch(dst_address=(f"10.70.{n // 250}.{n % 250 + 1}",), dst_port=(str(port),), protocol=("tcp",))
    return rule(spaces, f"other-{n}", matches=(match,), priority=n % 7)


async def transfer(spaces: Namespaces, changed: asyncio.Event) -> int:
    """Bytes sent to an echo and back while rules change; every one must come back in its place."""
    reader, writer = await connected(spaces.socket(spaces.device), (spaces.virtual, PORT))
    sent = 0
    while not changed.is_set() or sent < 20 * len(CHUNK):
        writer.write(CHUNK)
        assert await reader.readexactly(len(CHUNK)) == CHUNK
        sent += len(CHUNK)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    return sent


@pytest.mark.slow
async def test_changing_one_of_ten_thousand_rules_takes_no_byte_from_a_flow_of_another() -> None:
    async with begun(Namespaces) as spaces, applications(spaces) as serve:
        assert isinstance(spaces, Namespaces)
        await serve(echo)
        await spaces.plane.install("r", rule(spaces))
        await asyncio.gather(*(spaces.plane.install(f"other-{n}", other(spaces, n)) for n in range(MANY)))
        assert len(await spaces.plane.forwardings()) == MANY + 1
        changed = asyncio.Event()
        passing = asyncio.create_task(transfer(spaces, changed))
        for n in range(5):
            await spaces.plane.install(f"other-{n}", other(spaces, n, port=81))
            await spaces.plane.withdraw(f"other-{n + 10}")
            await spaces.plane.install(f"new-{n}", _overlapping(spaces, n))
        changed.set()
        async with asyncio.timeout(30):
            sent = await passing
        counters = {c.rule_id: c for c in await spaces.plane.counters()}
        assert counters["r"].flows == 1
        assert counters["r"].bytes_up > sent
        assert sum(c.flows for c in counters.values()) == 1


def _overlapping(spaces: Namespaces, n: int) -> Forwarding:
    """A rule over a whole network of the others, which puts them in further maps."""
    match = TrafficMatch(dst_address=(f"10.70.{n}.0/24",), protocol=("tcp",))
    return rule(spaces, f"new-{n}", matches=(match,), priority=3, filter_type=FilterType.FLOW)
