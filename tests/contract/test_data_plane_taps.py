"""A data plane that copies: an application sees what passes by, what passes is not changed, and nothing goes round."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hanse.drivers.dataplane_nftables.namespaces import existing, inside, run
from hanse.drivers.dataplane_nftables.tapping import tap_device
from hanse.drivers.dataplane_nftables.trial import found_out
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, TrafficMatch
from tests.bounds import SOON
from tests.contract.grounds import PORT, Ground, Loopback, Namespaces, lacks, rule

EVERY_PROTOCOL = 0x0003
COPY = Action.DUPLICATE_DECAPSULATED
CORE: dict[type, str] = {Namespaces: "10.65.1.9", Loopback: Loopback.own.rpartition(".")[0] + ".9"}


@pytest.fixture
async def spaces() -> AsyncIterator[Namespaces]:
    lacks = await found_out()
    if reason := lacks.get("kernel") or lacks.get(COPY):
        pytest.skip(reason)
    spaces = Namespaces()
    await spaces.start()
    await spaces.plane.install("r", rule(spaces, matches=udp(spaces)))
    yield spaces
    await spaces.close()


@pytest.fixture
async def tapping(ground: Ground) -> Ground:
    """Each data plane, with a rule whose flows may be copied."""
    if isinstance(ground, Namespaces) and (reason := (await found_out()).get(COPY)):
        pytest.skip(reason)
    await ground.plane.install("r", rule(ground, matches=udp(ground)))
    return ground


def udp(spaces: Ground) -> tuple[TrafficMatch, ...]:
    return (TrafficMatch(dst_address=(spaces.virtual,), dst_port=(str(PORT),), protocol=("udp",)),)


def tap(spaces: Ground, **changes: object) -> Forwarding:
    values: dict[str, object] = {"action": COPY, "matches": udp(spaces), "priority": 5}
    return rule(spaces, "tap", **(values | {"to_address": spaces.other_app} | changes))


class _Tapped:
    """What an application sees on the interface of its tap."""

    def __init__(self, spaces: Namespaces, address: str) -> None:
        with inside(spaces.site.home_space):
            self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL))
            self._sock.bind((tap_device(address), EVERY_PROTOCOL))
        self._sock.setblocking(False)

    def now(self) -> list[bytes]:
        """The words of the datagrams that came since."""
        found: list[bytes] = []
        while True:
            try:
                frame = self._sock.recv(2000)
            except BlockingIOError:
                return found
            if frame[12:14] == b"\x08\x00" and frame[23] == socket.IPPROTO_UDP:
                found.append(frame[42 : 34 + int.from_bytes(frame[38:40], "big")])


class _Told:
    """What an application hears at the address of its tap, where copies are datagrams themselves."""

    def __init__(self, ground: Ground, address: str) -> None:
        self._sock = ground.socket(address, PORT, socket.SOCK_DGRAM)

    def now(self) -> list[bytes]:
        """The words of the datagrams that came since."""
        found: list[bytes] = []
        while True:
            try:
                found.append(self._sock.recv(2000))
            except BlockingIOError:
                return found


def tapped_at(ground: Ground, address: str) -> _Tapped | _Told:
    return _Tapped(ground, address) if isinstance(ground, Namespaces) else _Told(ground, address)


async def words(tapped: _Tapped | _Told, many: int) -> list[bytes]:
    """What came since, once so many words did, and whatever else is there then."""
    found = tapped.now()
    async with asyncio.timeout(SOON):
        while len(found) < many:
            await asyncio.sleep(0.01)
            found += tapped.now()
    return found + tapped.now()


async def talk(spaces: Ground, words: list[bytes]) -> list[bytes]:
    """What a device hears when the application answers each word with its capitals."""
    loop = asyncio.get_running_loop()
    app = spaces.socket(spaces.app, PORT, socket.SOCK_DGRAM)
    device = spaces.socket(spaces.device, 0, socket.SOCK_DGRAM)
    heard = []
    with app, device:
        for word in words:
            async with asyncio.timeout(SOON):
                await loop.sock_sendto(device, word, (spaces.virtual, PORT))
                got, sender = await loop.sock_recvfrom(app, 100)
                await loop.sock_sendto(app, got.upper(), sender)
                heard.append(await loop.sock_recv(device, 100))
    return heard


async def test_an_application_gets_copies_of_both_directions_and_the_flow_goes_on(tapping: Ground) -> None:
    await tapping.plane.install("tap", tap(tapping))
    tapped = tapped_at(tapping, tapping.other_app)
    assert await talk(tapping, [b"one", b"two"]) == [b"ONE", b"TWO"]
    assert await words(tapped, 4) == [b"one", b"ONE", b"two", b"TWO"]
    counters = {c.rule_id: c for c in await tapping.plane.counters()}
    assert (counters["r"].flows, counters["tap"].flows) == (1, 0)
    headers = 28 if await lacks(tapping, "payload bytes") else 0
    assert counters["tap"].bytes_up >= 2 * (headers + 3)
    assert counters["tap"].bytes_down >= 2 * (headers + 3)


async def test_two_interfaces_get_one_direction_each(tapping: Ground) -> None:
    core = CORE[type(tapping)]
    await tapping.plane.install("tap", tap(tapping, core_address=core))
    towards_device, towards_core = tapped_at(tapping, tapping.other_app), tapped_at(tapping, core)
    await talk(tapping, [b"one"])
    assert (await words(towards_device, 1), await words(towards_core, 1)) == ([b"one"], [b"ONE"])


async def test_a_tap_for_packets_sees_only_what_its_filter_says(tapping: Ground) -> None:
    await tapping.plane.install("tap", tap(tapping, filter_type=FilterType.PACKET))
    tapped = tapped_at(tapping, tapping.other_app)
    await talk(tapping, [b"one"])
    assert await words(tapped, 1) == [b"one"]


async def test_copies_do_not_go_round_although_the_home_of_applications_forwards(spaces: Namespaces) -> None:
    await spaces.plane.install("tap", tap(spaces))
    with inside(spaces.site.home_space):
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    tapped = _Tapped(spaces, spaces.other_app)
    assert await talk(spaces, [b"one"]) == [b"ONE"]
    seen = await words(tapped, 2)
    await asyncio.sleep(0.3)  # nothing else follows
    assert seen + tapped.now() == [b"one", b"ONE"]


async def test_a_withdrawn_tap_leaves_no_interface_and_the_rule_goes_on(spaces: Namespaces) -> None:
    await spaces.plane.install("tap", tap(spaces))
    await spaces.plane.withdraw("tap")
    for space in existing(spaces.site.plane_space):
        assert "tap" not in await run(["ip", "-brief", "link"], namespace=space)
    assert await talk(spaces, [b"one"]) == [b"ONE"]
