"""Ten thousand rules, in the kernel and in user space: changing one touches no flow of another."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, TrafficMatch
from tests.bounds import SOON
from tests.contract.grounds import (
    PORT,
    Ground,
    Loopback,
    Namespaces,
    applications,
    begun,
    bound,
    connected,
    echo,
    rule,
)

MANY = 10_000
CHUNK = bytes(range(256)) * 256


def other(spaces: Namespaces, n: int, port: int = 80) -> Forwarding:
    """A rule for a virtual address that nobody dials."""
    match = TrafficMatch(dst_address=(f"10.70.{n // 250}.{n % 250 + 1}",), dst_port=(str(port),), protocol=("tcp",))
    return rule(spaces, f"other-{n}", matches=(match,), priority=n % 7)


async def transfer(spaces: Ground, changed: asyncio.Event) -> int:
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
@pytest.mark.timeout(600)
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
        async with asyncio.timeout(3 * SOON):
            sent = await passing
        counters = {c.rule_id: c for c in await spaces.plane.counters()}
        assert counters["r"].flows == 1
        assert counters["r"].bytes_up > sent
        assert sum(c.flows for c in counters.values()) == 1


def _overlapping(spaces: Namespaces, n: int) -> Forwarding:
    """A rule over a whole network of the others, which puts them in further maps."""
    match = TrafficMatch(dst_address=(f"10.70.{n}.0/24",), protocol=("tcp",))
    return rule(spaces, f"new-{n}", matches=(match,), priority=3, filter_type=FilterType.FLOW)


def of_device(ground: Loopback, n: int, rule_id: str = "", *protocols: str, **changes: Any) -> Forwarding:
    """A rule for one device that dials where all others dial, too."""
    source = f"127.{200 + n // 62500}.{n // 250 % 250}.{n % 250 + 1}"
    match = TrafficMatch(
        src_address=(source,),
        dst_address=(ground.virtual,),
        dst_port=(str(PORT),),
        protocol=protocols or ("tcp", "udp"),
    )
    return rule(ground, rule_id or f"other-{n}", matches=(match,), **{"priority": n % 7, **changes})


async def change(ground: Loopback, n: int) -> None:
    """Some of each kind of change: to another application, of protocols, to DROP, away, new, and a copy."""
    drop: dict[str, Any] = {"action": Action.DROP, "to_address": ABSENT, "to_port": ABSENT}
    await ground.plane.install(f"other-{n}", of_device(ground, n, to_address=ground.other_app))
    await ground.plane.install(f"other-{n + 1}", of_device(ground, n + 1, "", "udp"))
    await ground.plane.install(f"other-{n + 2}", of_device(ground, n + 2, **drop))
    await ground.plane.withdraw(f"other-{n + 3}")
    await ground.plane.install(f"new-{n}", of_device(ground, n + 4, f"new-{n}", priority=0))
    tap = of_device(ground, n + 5, f"tap-{n}", action=Action.DUPLICATE_DECAPSULATED, to_address=ground.other_app)
    await ground.plane.install(f"tap-{n}", tap)
    await ground.plane.withdraw(f"tap-{n}")


async def datagrams(ground: Loopback, changed: asyncio.Event) -> int:
    """Datagrams answered while rules change, one at a time; none may be lost."""
    loop = asyncio.get_running_loop()
    app = bound(ground.app, PORT, socket.SOCK_DGRAM)
    device = bound(ground.device, 0, socket.SOCK_DGRAM)
    answered = 0
    with app, device:
        while not changed.is_set() or answered < 20:
            word = str(answered).encode()
            async with asyncio.timeout(SOON):
                await loop.sock_sendto(device, word, (ground.virtual, PORT))
                got, peer = await loop.sock_recvfrom(app, 100)
                await loop.sock_sendto(app, got, peer)
                assert await loop.sock_recv(device, 100) == word
            answered += 1
    return answered


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_changing_one_of_ten_thousand_rules_in_user_space_loses_no_byte_and_no_datagram_of_another() -> None:
    async with begun(Loopback) as ground, applications(ground) as serve:
        await serve(echo)
        mine = TrafficMatch(src_address=(ground.device,), dst_address=(ground.virtual,), dst_port=(str(PORT),))
        await ground.plane.install("r", rule(ground, matches=(mine,)))
        for n in range(MANY):
            await ground.plane.install(f"other-{n}", of_device(ground, n))
        assert len(await ground.plane.forwardings()) == MANY + 1
        changed = asyncio.Event()
        passing = [asyncio.create_task(work(ground, changed)) for work in (transfer, datagrams)]
        for n in range(0, 600, 6):
            await change(ground, n)
            await asyncio.sleep(0)
        changed.set()
        async with asyncio.timeout(3 * SOON):
            sent, answered = await asyncio.gather(*passing)
        counters = {c.rule_id: c for c in await ground.plane.counters()}
        assert counters["r"].flows == 2
        assert counters["r"].bytes_up == counters["r"].bytes_down == sent + sum(len(str(n)) for n in range(answered))
        assert sum(c.flows + c.refused for c in counters.values()) == 2
