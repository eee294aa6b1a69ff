"""The driver that the settings name carries out a host's rules: in the kernel, between its devices and its apps."""

from __future__ import annotations

import asyncio
import os
import socket
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import dns.message
import pytest

from hanse.assembly.builders.built import Built
from hanse.assembly.builders.data_plane import access_networks, build, most_flows
from hanse.assembly.builders.names import build as build_names
from hanse.assembly.catalogue import elements
from hanse.assembly.deployment import TEMPLATES, renumbered
from hanse.assembly.settings import Settings, parse
from hanse.assembly.sites import device_space, site_of
from hanse.assembly.wiring import Wiring
from hanse.drivers.dataplane_nftables import NftablesDataPlane
from hanse.drivers.dataplane_nftables.namespaces import existing, inside, run
from hanse.drivers.dataplane_nftables.trial import found_out
from hanse.drivers.dataplane_userspace import UserspaceDataPlane
from hanse.drivers.names_embedded import EmbeddedNames
from hanse.kit.contract.observe import Silence
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, NameRecord, TrafficMatch
from hanse.scenarios.stage import claim
from tests.bounds import SOON
from tests.contract.grounds import bound, connected


@pytest.fixture
def networks() -> Iterator[dict[str, str]]:
    """Networks that nobody else on this machine has."""
    handle, found = claim()
    yield found
    os.close(handle)


async def refuse_unable() -> None:
    if reason := (await found_out()).get("kernel"):
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)


def settings(directory: Path, template: str, networks: dict[str, str], more: str = "") -> Settings:
    text = renumbered((TEMPLATES / template / "north.toml").read_text() + more, networks)
    raw: dict[str, Any] = tomllib.loads(text)
    return parse(raw, directory / "north.toml")


def made(found: Settings) -> tuple[Wiring, list[object]]:
    """The data plane and the name server of harbour."""
    known = elements(found)
    chosen = [known["data_plane.harbour"], known["names.harbour"]]
    built = Built(Wiring(found, chosen, Silence()))
    build(built, chosen[0])
    build_names(built, chosen[1])
    return built.wiring, [built.part(element.name) for element in chosen]


@asynccontextmanager
async def running(
    directory: Path, networks: dict[str, str], more: str = ""
) -> AsyncIterator[tuple[NftablesDataPlane, EmbeddedNames]]:
    """Harbour's data plane in the kernel, and its name server; ``more`` is added to the settings."""
    wiring, (plane, names) = made(settings(directory, "two-operators-kernel", networks, more))
    assert isinstance(plane, NftablesDataPlane)
    assert isinstance(names, EmbeddedNames)
    try:
        for start in wiring.starts:
            await start()
        yield plane, names
    finally:
        for stop in wiring.stops:
            await stop()


async def test_user_space_is_what_there_is_unless_said_otherwise(tmp_path: Path, networks: dict[str, str]) -> None:
    found = settings(tmp_path, "two-operators", networks)
    assert isinstance(made(found)[1][0], UserspaceDataPlane)
    assert device_space(found, "alice") == ""


def test_rules_of_user_space_may_ask_for_the_zone_by_which_a_device_comes_in(
    tmp_path: Path, networks: dict[str, str]
) -> None:
    found = settings(tmp_path, "two-operators", networks)
    zones = {host.zone.name for host in found.hosts.values()}
    known = access_networks(found)
    assert known.keys() == zones
    alice = found.devices["alice"]
    assert [zone for zone, devices in known.items() if alice.address in devices] == [found.hosts[alice.host].zone.name]
    assert sum(len(devices) for devices in known.values()) == len(found.devices)


@pytest.mark.parametrize(("allowed", "hosts"), [(64, 2), (1024, 1), (1024, 3), (1_048_576, 2)])
def test_flows_of_devices_leave_half_of_what_an_operator_may_open_to_everybody_else(allowed: int, hosts: int) -> None:
    assert 1 <= most_flows(allowed, hosts) <= 4096
    assert 2 * hosts * most_flows(allowed, hosts) <= allowed // 2


async def test_a_device_reaches_an_app_of_this_machine_through_the_kernel_and_nothing_is_left(
    tmp_path: Path, networks: dict[str, str]
) -> None:
    await refuse_unable()
    before = await _traces(networks)
    async with running(tmp_path, networks) as (plane, _):
        assert await _traces(networks) != before
        assert await _heard(plane, networks["10.10."]) == b"hello"
    assert existing(plane.site.plane_space) == []
    assert await _traces(networks) == before


async def _traces(networks: dict[str, str]) -> list[str]:
    """What this machine's own namespace shows of the networks that this test claimed; others come and go."""
    shown = await run(["ip", "-brief", "address"]) + await run(["ip", "route", "show", "table", "all"])
    return [line for line in shown.splitlines() if any(prefix in line for prefix in networks.values())]


async def test_a_name_server_sees_which_device_asks_and_devices_need_no_rule_to_ask_it(
    tmp_path: Path, networks: dict[str, str]
) -> None:
    await refuse_unable()
    net, known = networks["10.10."], settings(tmp_path, "two-operators-kernel", networks).devices
    async with running(tmp_path, networks) as (plane, names):
        for n, device in enumerate(("alice", "bob"), 1):
            names.put(
                NameRecord(
                    record_id=device,
                    owner="app",
                    name="who.example.com",
                    address=f"{net}200.{n}",
                    clients=(known[device].address,),
                )
            )
        assert await _asked(plane, names, "alice") == f"{net}200.1"
        assert await _asked(plane, names, "bob") == f"{net}200.2"


async def test_nothing_but_the_name_server_is_open_without_a_rule(tmp_path: Path, networks: dict[str, str]) -> None:
    await refuse_unable()
    async with running(tmp_path, networks) as (plane, names):
        server = await asyncio.start_server(lambda _r, w: w.close(), names.address, 8080)
        async with server:
            with inside(plane.site.device_space("alice")):
                device = bound("0.0.0.0", 0, socket.SOCK_STREAM)
            with pytest.raises(ConnectionRefusedError):
                await connected(device, (names.address, 8080))


def test_operators_of_one_name_on_other_addresses_do_not_clear_each_others_namespaces(tmp_path: Path) -> None:
    first = settings(tmp_path, "two-operators-kernel", {"10.10.": "10.240."})
    second = settings(tmp_path, "two-operators-kernel", {"10.10.": "10.241."})
    assert site_of(first, "harbour")[0].name != site_of(second, "harbour")[0].name


async def _asked(plane: NftablesDataPlane, names: EmbeddedNames, device: str) -> str:
    """What a device is answered that asks from its own namespace."""
    with inside(plane.site.device_space(device)):
        sock = bound("0.0.0.0", 0, socket.SOCK_DGRAM)
    loop = asyncio.get_running_loop()
    with sock:
        await loop.sock_connect(sock, (names.address, names.port))
        await loop.sock_sendall(sock, dns.message.make_query("who.example.com", "A").to_wire())
        async with asyncio.timeout(SOON):
            answer = dns.message.from_wire(await loop.sock_recv(sock, 4096))
    return str(answer.answer[0][0])


async def _heard(plane: NftablesDataPlane, net: str) -> bytes:
    """What alice hears at a virtual address of an app that is bound to its own."""
    app, virtual = f"{net}1.100", f"{net}200.1"
    match = TrafficMatch(dst_address=(virtual,), dst_port=("80",), protocol=("tcp",))
    forward = Forwarding(
        rule_id="r",
        owner="app",
        priority=1,
        filter_type=FilterType.FLOW,
        matches=(match,),
        action=Action.FORWARD_DECAPSULATED,
        to_address=app,
        to_port=8080,
    )

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    server = await asyncio.start_server(greet, app, 8080)
    async with server:
        await plane.install("r", forward)
        with inside(plane.site.device_space("alice")):
            device = bound("0.0.0.0", 0, socket.SOCK_STREAM)
        reader, writer = await connected(device, (virtual, 80))
        try:
            return await reader.read()
        finally:
            writer.close()


@pytest.mark.parametrize(
    ("table", "entry", "key", "value", "hint"),
    [
        ("hosts", "harbour", "names", {"address": "127.10.1.3"}, "outside of 127.0.0.0/8"),
        ("hosts", "harbour", "apps", "127.10.1.100-127.10.1.131", "outside of 127.0.0.0/8"),
        ("devices", "alice", "address", "127.10.100.5", "outside of 127.0.0.0/8"),
        ("devices", "bob", "host", "airport", "a /24 network in which no other host has devices"),
    ],
)
def test_an_address_that_cannot_leave_a_namespace_is_named_before_anything_starts(
    table: str, entry: str, key: str, value: object, hint: str
) -> None:
    raw: dict[str, Any] = tomllib.loads((TEMPLATES / "two-operators-kernel" / "north.toml").read_text())
    raw[table][entry][key] = value
    with pytest.raises(Problem, match=rf"Invalid key {table}\.") as refused:
        parse(raw, Path("north.toml"))
    assert hint in refused.value.detail
