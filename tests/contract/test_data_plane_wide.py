"""Every data plane: rules that name networks or no address carry what is dialled at any of them.

What a data plane on loopback lacks of it (``every address``) it refuses with the reason.
"""

from __future__ import annotations

import asyncio
import socket

import pytest

from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, TrafficMatch
from tests.both_loops import OVERRIDDEN, event_loop_policy  # noqa: F401 (a fixture)
from tests.bounds import SOON
from tests.contract.grounds import PORT, Ground, Run, bound, connected, echo, lacks, rule, says
from tests.contract.wide import DIALLED, came, counters, device_of, heard, neighbour, tcp

pytestmark = [pytest.mark.timeout(120), OVERRIDDEN]


def wide(ground: Ground) -> list[object]:
    """No address, and networks of which it is one of millions."""
    first = ground.virtual.partition(".")[0]
    return [ABSENT, (f"{first}.0.0.0/8",), (f"{first}.0.0.0-{first}.255.255.255", ground.virtual)]


async def test_a_rule_without_address_carries_what_is_dialled_at_any(ground: Ground, serve: Run) -> None:
    await serve(echo)
    for addresses in wide(ground):
        await ground.plane.install("r", rule(ground, matches=tcp(dst_address=addresses, dst_port=(str(DIALLED),))))
        for address in (ground.virtual, neighbour(ground)):
            assert await heard(ground, (address, DIALLED), b"word") == b"word"
        await ground.plane.withdraw("r")
        with pytest.raises(ConnectionError):
            await heard(ground, (ground.virtual, DIALLED))


async def test_flows_of_such_a_rule_tell_what_was_dialled_and_are_counted_and_cut(ground: Ground, serve: Run) -> None:
    await serve(echo)
    matches = tcp(src_address=(ground.device,), dst_port=(str(DIALLED),))
    await ground.plane.install("r", rule(ground, matches=matches))
    reader, writer = await connected(ground.socket(ground.device), (neighbour(ground), DIALLED))
    writer.write(b"word")
    assert await reader.readexactly(4) == b"word"
    [flow] = await ground.plane.flows()
    assert (flow.rule_id, flow.src_address, flow.dst_address, flow.dst_port) == (
        "r",
        ground.device,
        neighbour(ground),
        DIALLED,
    )
    with pytest.raises(ConnectionError):
        await heard(ground, (ground.virtual, DIALLED), source=ground.stranger)
    found = await counters(ground)
    assert (found.flows, found.open_flows) == (1, 1)
    assert found.bytes_up >= 4
    assert found.refused == (0 if await lacks(ground, "refused flows") else 1)
    await ground.plane.withdraw("r")
    writer.write(b"still there?")
    with pytest.raises(ConnectionError):
        async with asyncio.timeout(SOON):
            await reader.read()
    writer.close()


async def test_a_rule_for_a_network_carries_what_is_dialled_in_it(ground: Ground, serve: Run) -> None:
    await serve(says(b"network"))
    network = tcp(dst_address=(f"{ground.virtual}/24",), dst_port=(str(PORT),))
    await ground.plane.install("r", rule(ground, matches=network))
    for address in (ground.virtual, neighbour(ground)):
        assert await heard(ground, (address, PORT)) == b"network"
    assert (await counters(ground)).flows == 2


async def test_the_rule_for_a_single_address_and_that_for_all_are_asked_by_priority(ground: Ground, serve: Run) -> None:
    await serve(says(b"all"))
    await serve(says(b"one"), ground.other_app)
    every = tcp(dst_port=(str(DIALLED),))
    single = tcp(dst_address=(ground.virtual,), dst_port=(str(DIALLED),))
    await ground.plane.install("one", rule(ground, "one", matches=single, to_address=ground.other_app, priority=5))
    for priority, there in ((9, b"one"), (1, b"all")):
        await ground.plane.install("all", rule(ground, "all", matches=every, priority=priority))
        assert await heard(ground, (ground.virtual, DIALLED)) == there
        assert await heard(ground, (neighbour(ground), DIALLED)) == b"all"
    await ground.plane.withdraw("all")
    assert await heard(ground, (ground.virtual, DIALLED)) == b"one"
    with pytest.raises(ConnectionError):
        await heard(ground, (neighbour(ground), DIALLED))


async def test_a_flow_goes_on_while_a_rule_for_all_addresses_comes_to_its_port_and_goes(
    ground: Ground, serve: Run
) -> None:
    await serve(echo)
    single = tcp(dst_address=(ground.virtual,), dst_port=(str(DIALLED),))
    await ground.plane.install("one", rule(ground, "one", matches=single))
    reader, writer = await connected(ground.socket(ground.device), (ground.virtual, DIALLED))
    for number in range(6):
        if number % 2:
            await ground.plane.withdraw("all")
        else:
            await ground.plane.install("all", rule(ground, "all", matches=tcp(dst_port=(str(DIALLED),)), priority=0))
        writer.write(b"%d" % number)
        assert await reader.readexactly(1) == b"%d" % number
    writer.close()


async def test_datagrams_to_any_address_are_answered_from_that_address(ground: Ground) -> None:
    await ground.plane.install("r", rule(ground, matches=(TrafficMatch(dst_port=(str(DIALLED),), protocol=("udp",)),)))
    loop = asyncio.get_running_loop()
    with ground.socket(ground.app, PORT, socket.SOCK_DGRAM) as app:
        for address in (ground.virtual, neighbour(ground)):
            with ground.socket(ground.device, 0, socket.SOCK_DGRAM) as device:
                device.connect((address, DIALLED))  # it hears only what comes from there
                device.send(b"hi")
                words, peer = await came(app)
                app.sendto(words + b" you", peer)
                async with asyncio.timeout(SOON):
                    assert await loop.sock_recv(device, 100) == b"hi you"
    assert (await counters(ground)).flows == 2
    assert {flow.dst_address for flow in await ground.plane.flows()} == {ground.virtual, neighbour(ground)}


async def test_datagrams_go_on_by_one_flow_while_another_rule_comes_to_their_port_and_goes(ground: Ground) -> None:
    def udp(**attributes: object) -> tuple[TrafficMatch, ...]:
        return (TrafficMatch(dst_port=(str(DIALLED),), protocol=("udp",), **attributes),)  # type: ignore[arg-type]

    every = rule(ground, "every", matches=udp(src_address=(ground.device,)), priority=1)
    single = rule(ground, "single", matches=udp(dst_address=(ground.virtual,)), priority=9)
    for stays, comes in ((every, single), (single, rule(ground, "every", matches=udp(), priority=10))):
        await ground.plane.install(stays.rule_id, stays)
        with ground.socket(ground.app, PORT, socket.SOCK_DGRAM) as app, device_of(ground) as device:
            device.connect((ground.virtual, DIALLED))
            peers = set()
            for number in range(6):
                if number % 2:
                    await ground.plane.install(comes.rule_id, comes)
                elif number:
                    await ground.plane.withdraw(comes.rule_id)
                await asyncio.sleep(0)
                device.send(b"%d" % number)
                words, peer = await came(app)
                peers.add(peer)
                app.sendto(words, peer)
                assert (await came(device))[0] == b"%d" % number
            assert len(peers) == 1, "the application talks to one peer"
        assert (await counters(ground, stays.rule_id)).flows == 1
        for each in (stays, comes):
            await ground.plane.withdraw(each.rule_id)


async def test_what_passes_through_reaches_where_it_was_sent_as_it_was(ground: Ground, serve: Run) -> None:
    async def who(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(writer.get_extra_info("peername")[0].encode())

    await serve(who)
    for target in (ABSENT, ground.app):
        for match in (tcp(dst_address=(ground.app,)), tcp(dst_port=(str(PORT),)), tcp(src_address=(ground.device,))):
            wanted = rule(ground, matches=match, action=Action.PASSTHROUGH, to_address=target, to_port=ABSENT)
            await ground.plane.install("r", wanted)
            assert await ground.plane.forwardings() == [wanted]
            assert await heard(ground, (ground.app, PORT)) == ground.device.encode()
    await ground.plane.withdraw("r")


async def test_a_rule_for_all_addresses_at_the_port_of_its_application_is_carried_or_refused_with_the_reason(
    ground: Ground, serve: Run
) -> None:
    await serve(says(b"x"))
    same, neither = rule(ground, matches=tcp(dst_port=(str(PORT),))), rule(ground, matches=tcp())
    said = (await ground.plane.capabilities()).lacks.get("every address")
    for wanted in (same, neither):
        if said:
            with pytest.raises(Problem, match=r"400 dstAddress.*too wide") as refused:
                await ground.plane.install("r", wanted)
            assert said in refused.value.detail
        else:
            await ground.plane.install("r", wanted)
            assert await heard(ground, (neighbour(ground), PORT)) == b"x"
    if said:
        assert await ground.plane.forwardings() == []


async def test_a_rule_may_come_to_name_less_and_more_again(ground: Ground, serve: Run) -> None:
    await serve(echo)
    at = (ground.virtual, DIALLED)
    narrow = tcp(dst_address=(ground.virtual,), dst_port=(str(DIALLED),))
    await ground.plane.install("r", rule(ground, matches=narrow))
    reader, writer = await connected(ground.socket(ground.device), at)
    for match in (tcp(dst_port=(str(DIALLED),)), narrow, tcp(dst_address=(ground.virtual,)), narrow):
        await ground.plane.install("r", rule(ground, matches=match))
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x", "its flow goes on"
    assert await heard(ground, at, b"word") == b"word"
    writer.close()
    assert (await counters(ground)).flows == 2


async def test_nothing_is_left_of_such_rules(ground: Ground, serve: Run) -> None:
    await serve(says(b"x"))
    await ground.plane.install("all", rule(ground, "all", matches=tcp(dst_port=(str(DIALLED),))))
    await ground.plane.install("ports", rule(ground, "ports", matches=tcp(dst_address=(ground.virtual,))))
    await ground.plane.withdraw("all")
    await ground.plane.withdraw("ports")
    for at in ((ground.virtual, DIALLED), (ground.virtual, PORT)):
        with pytest.raises(ConnectionError):
            await heard(ground, at)
    bound("127.0.0.1", DIALLED, socket.SOCK_STREAM).close()
