"""One UDP socket at every address: a device is answered from where it sent to, and many addresses cost nothing."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from hanse.drivers.dataplane_userspace.datagrams import DatagramListener, Entrance
from hanse.drivers.dataplane_userspace.endpoints import ANYWHERE, Endpoint
from hanse.drivers.dataplane_userspace.everywhere import _TIDY, DatagramsEverywhere
from hanse.drivers.dataplane_userspace.flows import FlowTable
from hanse.drivers.dataplane_userspace.listening import listening
from hanse.drivers.dataplane_userspace.rules import read_rule
from hanse.drivers.dataplane_userspace.sockets import listening_socket
from hanse.kit.ports import bind
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, TrafficMatch
from tests.bounds import SOON

_BLOCK = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
PLANE, APP, DEVICE = (f"{_BLOCK}.{n}" for n in (1, 3, 10))
PORT, APP_PORT = 12_000 + os.getpid() % 1500 * 4, 18080


@pytest.fixture
def table() -> FlowTable:
    """A rule leads one device to the application, wherever it sends."""
    match = TrafficMatch(src_address=(DEVICE,), dst_port=(str(PORT),), protocol=("udp",))
    values = {"rule_id": "r", "owner": "a", "priority": 1, "filter_type": FilterType.FLOW, "matches": (match,)}
    forwarding = Forwarding(action=Action.FORWARD_DECAPSULATED, to_address=APP, to_port=APP_PORT, **values)  # type: ignore[arg-type]
    rule = read_rule(forwarding)
    table = FlowTable(100)
    table.put(rule, listening(rule).fixed)
    return table


@pytest.fixture
async def everywhere(table: FlowTable) -> AsyncIterator[DatagramsEverywhere]:
    sock = listening_socket(Endpoint("udp", ANYWHERE, PORT), shared=False)
    made = DatagramsEverywhere(sock, lambda endpoint: Entrance(DatagramListener(table, endpoint, PLANE)))
    yield made
    for installed in table.rules():
        table.remove(installed.rule.forwarding.rule_id)
    made.close()


@pytest.fixture
def app() -> Iterator[socket.socket]:
    with bind(APP, APP_PORT, socket.SOCK_DGRAM) as sock:
        yield sock


@pytest.fixture
def device() -> Iterator[socket.socket]:
    with bind(DEVICE, 0, socket.SOCK_DGRAM) as sock:
        yield sock


async def came(sock: socket.socket) -> tuple[bytes, tuple[str, int]]:
    readable, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(sock, readable.set)
    async with asyncio.timeout(SOON):
        await readable.wait()
    loop.remove_reader(sock)
    return sock.recvfrom(100)


@pytest.mark.usefixtures("everywhere")
async def test_each_address_that_a_device_sends_to_answers_for_itself(
    table: FlowTable, app: socket.socket, device: socket.socket
) -> None:
    for n in (200, 201):
        dialled = (f"{_BLOCK}.{n}", PORT)
        device.sendto(b"hi", dialled)
        words, peer = await came(app)
        app.sendto(words + b" you", peer)
        assert await came(device) == (b"hi you", dialled)
    assert [flow.dst_address for flow in table.flows()] == [f"{_BLOCK}.200", f"{_BLOCK}.201"]
    assert (table.rules()[0].bytes_up, table.rules()[0].bytes_down) == (4, 12)


async def test_thousands_of_dialled_addresses_are_forgotten_and_a_flow_among_them_is_not(
    everywhere: DatagramsEverywhere, table: FlowTable, app: socket.socket, device: socket.socket
) -> None:
    device.sendto(b"stay", (f"{_BLOCK}.200", PORT))
    words, peer = await came(app)
    with bind(f"{_BLOCK}.11", 0, socket.SOCK_DGRAM) as stranger:
        for n in range(3000):
            stranger.sendto(b"", (f"127.200.{n // 250}.{n % 250 + 1}", PORT))
            if n % 50 == 49:
                await asyncio.sleep(0.001)
    async with asyncio.timeout(SOON):
        while table.rules()[0].refused < 2500:  # noqa: ASYNC110 (UDP may lose some)
            await asyncio.sleep(0.01)
    assert len(everywhere._entrances) <= _TIDY + 1
    app.sendto(words, peer)
    assert (await came(device))[0] == b"stay"


async def test_closed_it_leaves_no_session(
    everywhere: DatagramsEverywhere, table: FlowTable, app: socket.socket, device: socket.socket
) -> None:
    device.sendto(b"hi", (f"{_BLOCK}.200", PORT))
    await came(app)
    assert len(table.flows()) == 1
    everywhere.close()
    assert table.flows() == []
