"""Every data plane: rules that name ranges of ports or none carry what is dialled at those of their application.

What is dialled at others a data plane on loopback cannot carry, and says so (``every port``).
"""

from __future__ import annotations

import asyncio
import socket

import pytest

from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, TrafficMatch
from tests.both_loops import OVERRIDDEN, event_loop_policy  # noqa: F401 (a fixture)
from tests.bounds import SOON
from tests.contract.grounds import PORT, Ground, Run, lacks, rule, says
from tests.contract.wide import (
    DIALLED,
    OTHER_PORT,
    came,
    connected_and_told,
    counters,
    heard,
    heard_soon,
    refused_soon,
    serving,
    tcp,
)

pytestmark = [pytest.mark.timeout(120), OVERRIDDEN]


async def test_a_rule_without_port_carries_what_is_dialled_at_the_ports_of_its_application(ground: Ground) -> None:
    servers = [await serving(ground, b"%d" % port, port) for port in (PORT, OTHER_PORT)]
    match = tcp(dst_address=(ground.virtual,))
    await ground.plane.install("r", rule(ground, matches=match, to_port=ABSENT))
    for port in (PORT, OTHER_PORT):
        assert await heard(ground, (ground.virtual, port)) == b"%d" % port
    with pytest.raises(ConnectionError):
        await heard(ground, (ground.virtual, PORT + 1))
    assert (await counters(ground)).flows >= 2
    await ground.plane.withdraw("r")
    with pytest.raises(ConnectionError):
        await heard(ground, (ground.virtual, PORT))
    for server in servers:
        server.close()


async def test_an_application_that_comes_to_listen_later_is_reached_and_one_that_stops_is_not(ground: Ground) -> None:
    range_ = tcp(dst_address=(ground.virtual,), dst_port=("1024-65535",))
    await ground.plane.install("r", rule(ground, matches=range_, to_port=ABSENT))
    with pytest.raises(ConnectionError):
        await heard(ground, (ground.virtual, OTHER_PORT))
    for word in (b"first", b"again"):
        server = await serving(ground, word, OTHER_PORT)
        assert await heard_soon(ground, (ground.virtual, OTHER_PORT)) == word
        server.close()
        await server.wait_closed()
        await refused_soon(ground, (ground.virtual, OTHER_PORT))


async def test_a_rule_that_leads_all_ports_to_one_does_so_wherever_it_listens(ground: Ground, serve: Run) -> None:
    await serve(says(b"one port"))
    other = await serving(ground, b"another", OTHER_PORT)
    await ground.plane.install("r", rule(ground, matches=tcp(dst_address=(ground.virtual,))))
    for port in (PORT, OTHER_PORT):
        assert await heard(ground, (ground.virtual, port)) == b"one port"
    if not await lacks(ground, "every port"):
        assert await heard(ground, (ground.virtual, PORT + 1)) == b"one port"
    other.close()


async def test_datagrams_reach_an_application_by_a_rule_without_port_and_protocol(ground: Ground) -> None:
    loop = asyncio.get_running_loop()
    with ground.socket(ground.app, PORT, socket.SOCK_DGRAM) as app:
        match = TrafficMatch(dst_address=(ground.virtual,), src_address=(ground.device,))
        await ground.plane.install("r", rule(ground, matches=(match,), to_port=ABSENT))
        with ground.socket(ground.device, 0, socket.SOCK_DGRAM) as device:
            device.connect((ground.virtual, PORT))
            device.send(b"hi")
            words, peer = await came(app)
            app.sendto(words + b" you", peer)
            async with asyncio.timeout(SOON):
                assert await loop.sock_recv(device, 100) == b"hi you"


async def test_a_rule_without_port_is_asked_before_later_ones_also_where_only_these_listen(
    ground: Ground, serve: Run
) -> None:
    await serve(says(b"first"))
    await serve(says(b"later"), ground.other_app)
    every = rule(ground, "first", priority=0, matches=tcp(src_address=(ground.device,), dst_address=(ground.virtual,)))
    await ground.plane.install("first", every)
    single = tcp(dst_address=(ground.virtual,), dst_port=(str(DIALLED),))
    await ground.plane.install("later", rule(ground, "later", matches=single, to_address=ground.other_app))
    assert await heard(ground, (ground.virtual, DIALLED)) == b"first"
    assert await heard(ground, (ground.virtual, DIALLED), source=ground.stranger) == b"later"


async def test_a_hundred_ports_are_all_carried(ground: Ground, serve: Run) -> None:
    await serve(says(b"x"))
    match = tcp(dst_address=(ground.virtual,), dst_port=("19000-19099",))
    await ground.plane.install("r", rule(ground, matches=match))
    for port in (19000, 19050, 19099):
        assert await heard(ground, (ground.virtual, port)) == b"x"
    with pytest.raises(ConnectionError):
        await heard(ground, (ground.virtual, 19100))


async def test_a_dropped_device_reaches_nothing_by_rules_for_all_addresses_or_ports(ground: Ground, serve: Run) -> None:
    await serve(says(b"x"))
    drop = {"action": Action.DROP, "to_address": ABSENT, "to_port": ABSENT, "priority": 0}
    match = (TrafficMatch(src_address=(ground.stranger,)),)
    await ground.plane.install("d", rule(ground, "d", matches=match, **drop))
    await ground.plane.install("r", rule(ground, matches=tcp(dst_port=(str(DIALLED),))))
    await ground.plane.install("s", rule(ground, "s", matches=tcp(dst_address=(ground.virtual,))))
    refusal, patience = (ConnectionError, SOON) if await lacks(ground, "silent DROP") else (TimeoutError, 0.5)
    for port in (DIALLED, PORT):
        with pytest.raises(refusal):
            await connected_and_told(ground, (ground.virtual, port), patience)
        assert await heard(ground, (ground.virtual, port)) == b"x"
    assert (await counters(ground, "d")).refused >= 2
