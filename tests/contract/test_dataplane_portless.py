"""The data plane that sees packets: protocols without ports, in real packets from raw sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from hanse.drivers.dataplane_nftables.namespaces import inside
from hanse.drivers.dataplane_nftables.tapping import tap_device
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, TrafficMatch
from tests.bounds import SOON
from tests.contract.grounds import Namespaces, rule
from tests.contract.raw import WORDS, Raw, joined

EACH = pytest.mark.parametrize("protocol", ["gre", "esp", "253", "59"])
SOME = pytest.mark.parametrize("protocol", ["gre", "59"])


@pytest.fixture
async def spaces() -> AsyncIterator[Namespaces]:
    """The driver that sees packets; that user space refuses these rules is tested in `test_dataplane_protocols`."""
    async with joined() as spaces:
        yield spaces


def taking(spaces: Namespaces, protocol: str, rule_id: str = "r", **more: object) -> Forwarding:
    """Packets of a protocol to the virtual address, from whomever."""
    return rule(
        spaces, rule_id, **{"matches": (TrafficMatch(dst_address=(spaces.virtual,), protocol=(protocol,)),), **more}
    )


@EACH
async def test_packets_reach_the_application_and_its_answers_the_device(spaces: Namespaces, protocol: str) -> None:
    with Raw(spaces, spaces.device, protocol) as device, Raw(spaces, spaces.app, protocol) as app:
        device.say(spaces.virtual)
        assert await app.hears_nothing()
        await spaces.plane.install("r", taking(spaces, protocol))
        device.say(spaces.virtual)
        sender, word = await app.heard()
        assert word == device.word
        app.say(sender)
        assert await device.heard() == (spaces.virtual, device.word)
        [flow] = await spaces.plane.flows()
        [counters] = await spaces.plane.counters()
    assert (flow.rule_id, flow.protocol, flow.src_address, flow.dst_address, flow.peer_address) == (
        "r",
        {"59": "ipv6-nonxt"}.get(protocol, protocol),
        spaces.device,
        spaces.virtual,
        sender,
    )
    assert (flow.src_port, flow.dst_port) == (0, 0)
    size = 20 + len(device.word)
    assert (counters.bytes_up, counters.bytes_down, counters.flows, counters.open_flows) == (size, size, 1, 1)


@EACH
async def test_two_devices_at_one_address_each_get_the_answers_that_are_theirs(
    spaces: Namespaces, protocol: str
) -> None:
    await spaces.plane.install("r", taking(spaces, protocol))
    with (
        Raw(spaces, spaces.device, protocol) as device,
        Raw(spaces, spaces.stranger, protocol) as stranger,
        Raw(spaces, spaces.app, protocol) as app,
    ):
        for each in (device, stranger):
            each.say(spaces.virtual)
            sender, _ = await app.heard()
            app.say(sender)
            assert await each.heard() == (spaces.virtual, each.word)
        assert await device.hears_nothing()
    assert len(await spaces.plane.flows()) == 2


@EACH
async def test_a_withdrawn_rule_ends_the_flows_that_it_let_in(spaces: Namespaces, protocol: str) -> None:
    await spaces.plane.install("r", taking(spaces, protocol))
    with Raw(spaces, spaces.device, protocol) as device, Raw(spaces, spaces.app, protocol) as app:
        device.say(spaces.virtual)
        sender, _ = await app.heard()
        await spaces.plane.withdraw("r")
        assert await spaces.plane.flows() == []
        device.say(spaces.virtual)
        assert await app.hears_nothing()
        app.say(sender)
        assert await device.hears_nothing()


@SOME
async def test_a_rule_that_comes_to_mean_others_ends_their_flows_alone(spaces: Namespaces, protocol: str) -> None:
    await spaces.plane.install("r", taking(spaces, protocol))
    with (
        Raw(spaces, spaces.device, protocol) as device,
        Raw(spaces, spaces.stranger, protocol) as stranger,
        Raw(spaces, spaces.app, protocol) as app,
    ):
        for each in (device, stranger):
            each.say(spaces.virtual)
            await app.heard()
        only = (TrafficMatch(src_address=(spaces.device,), dst_address=(spaces.virtual,), protocol=(protocol,)),)
        await spaces.plane.install("r", taking(spaces, protocol, matches=only))
        assert [flow.src_address for flow in await spaces.plane.flows()] == [spaces.device]
        stranger.say(spaces.virtual)
        assert await app.hears_nothing()
        device.say(spaces.virtual)
        await app.heard()
    [counters] = await spaces.plane.counters()
    assert counters.flows == 2  # the device's has gone on


@SOME
async def test_what_passes_through_keeps_both_addresses(spaces: Namespaces, protocol: str) -> None:
    match = TrafficMatch(src_address=(spaces.device,), protocol=(str(WORDS[protocol][0]),))
    await spaces.plane.install("r", rule(spaces, action=Action.PASSTHROUGH, matches=(match,)))
    with (
        Raw(spaces, spaces.device, protocol) as device,
        Raw(spaces, spaces.stranger, protocol) as stranger,
        Raw(spaces, spaces.app, protocol) as app,
    ):
        stranger.say(spaces.app)
        assert await app.hears_nothing()
        device.say(spaces.app)
        assert await app.heard() == (spaces.device, device.word)
        app.say(spaces.device)
        assert await device.heard() == (spaces.app, device.word)


@SOME
@pytest.mark.parametrize("kind", FilterType)
async def test_what_is_dropped_is_counted_and_other_protocols_pass(
    spaces: Namespaces, protocol: str, kind: FilterType
) -> None:
    await spaces.plane.install("r", rule(spaces, matches=(TrafficMatch(dst_address=(spaces.virtual,)),)))
    drop = {"action": Action.DROP, "to_address": ABSENT, "to_port": ABSENT, "priority": 0, "filter_type": kind}
    await spaces.plane.install("d", taking(spaces, protocol, "d", **drop))
    other = "gre" if protocol != "gre" else "esp"
    with (
        Raw(spaces, spaces.device, protocol) as dropped,
        Raw(spaces, spaces.device, other) as passing,
        Raw(spaces, spaces.app, protocol) as app,
        Raw(spaces, spaces.app, other) as hears,
    ):
        dropped.say(spaces.virtual)
        passing.say(spaces.virtual)
        await hears.heard()
        assert await app.hears_nothing()
    assert {c.rule_id: c.refused for c in await spaces.plane.counters()} == {"d": 1, "r": 0}


@SOME
async def test_a_tap_gets_a_copy_of_each_packet_both_ways(spaces: Namespaces, protocol: str) -> None:
    await spaces.plane.install("r", taking(spaces, protocol))
    copied = taking(
        spaces, protocol, "tap", action=Action.DUPLICATE_DECAPSULATED, to_address=spaces.other_app, to_port=ABSENT
    )
    await spaces.plane.install("tap", copied)
    with inside(spaces.site.home_space):
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    tap.setblocking(False)
    loop = asyncio.get_running_loop()
    with tap, Raw(spaces, spaces.device, protocol) as device, Raw(spaces, spaces.app, protocol) as app:
        tap.bind((tap_device(spaces.other_app), 0x0800))
        device.say(spaces.virtual)
        sender, _ = await app.heard()
        app.say(sender)
        await device.heard()
        async with asyncio.timeout(SOON):
            up, down = [await loop.sock_recv(tap, 2048) for _ in range(2)]
    assert [packet[9] for packet in (up, down)] == [WORDS[protocol][0]] * 2
    assert [packet[20 : 20 + len(device.word)] for packet in (up, down)] == [device.word] * 2
    ends = [tuple(map(socket.inet_ntoa, (packet[12:16], packet[16:20]))) for packet in (up, down)]
    assert ends == [(spaces.device, spaces.virtual), (spaces.virtual, spaces.device)]


@pytest.mark.parametrize("protocol", ["gre", "esp", "253"])
async def test_it_is_the_same_over_ipv6(spaces: Namespaces, protocol: str) -> None:
    match = TrafficMatch(dst_address=(spaces.virtual6,), protocol=(protocol,))
    await spaces.plane.install("r", rule(spaces, matches=(match,), to_address=spaces.app6))
    with Raw(spaces, spaces.device6, protocol) as device, Raw(spaces, spaces.app6, protocol) as app:
        device.say(spaces.virtual6)
        sender, word = await app.heard()
        assert word == device.word
        app.say(sender)
        assert await device.heard() == (spaces.virtual6, device.word)
        await spaces.plane.withdraw("r")
        device.say(spaces.virtual6)
        assert await app.hears_nothing()
