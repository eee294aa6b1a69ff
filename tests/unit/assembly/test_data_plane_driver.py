"""The driver that the settings name carries out a host's rules: in the kernel, between its devices and its apps."""

from __future__ import annotations

import asyncio
import os
import socket
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hanse.assembly.builders.built import Built
from hanse.assembly.builders.data_plane import build
from hanse.assembly.catalogue import elements
from hanse.assembly.deployment import TEMPLATES
from hanse.assembly.settings import Settings, parse
from hanse.assembly.wiring import Wiring
from hanse.drivers.dataplane_nftables import NftablesDataPlane
from hanse.drivers.dataplane_nftables.namespaces import existing, inside, run
from hanse.drivers.dataplane_nftables.trial import found_out
from hanse.drivers.dataplane_userspace import UserspaceDataPlane
from hanse.kit.contract.observe import Silence
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, TrafficMatch
from tests.contract.grounds import bound, connected

NET = f"10.{80 + os.getpid() % 100}"


def settings(directory: Path, driver: str) -> Settings:
    raw: dict[str, Any] = tomllib.loads((TEMPLATES / "two-operators" / "north.toml").read_text())
    if driver == "nftables":
        raw["operator"]["name"] = f"north-{os.getpid()}"
        more = {"data_plane": f"{NET}.0.1", "apps": f"{NET}.1.100-{NET}.1.131", "data_plane_driver": driver}
        raw["hosts"]["harbour"] |= more
        for n, device in enumerate(raw["devices"].values()):
            device["address"] = f"{NET}.2.{10 + n}"
    return parse(raw, directory / "north.toml")


def made(directory: Path, driver: str) -> tuple[Wiring, object]:
    found = settings(directory, driver)
    element = elements(found)["data_plane.harbour"]
    built = Built(Wiring(found, [element], Silence()))
    build(built, element)
    return built.wiring, built.part(element.name)


async def test_user_space_is_what_there_is_unless_said_otherwise(tmp_path: Path) -> None:
    assert isinstance(made(tmp_path, "userspace")[1], UserspaceDataPlane)


async def test_a_device_reaches_an_app_of_this_machine_through_the_kernel_and_nothing_is_left(tmp_path: Path) -> None:
    if reason := (await found_out()).get("kernel"):
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)
    before = await run(["ip", "-brief", "address"])
    wiring, plane = made(tmp_path, "nftables")
    assert isinstance(plane, NftablesDataPlane)
    try:
        for start in wiring.starts:
            await start()
        assert await _heard(plane) == b"hello"
    finally:
        for stop in wiring.stops:
            await stop()
    assert existing(plane.site.plane_space) == []
    assert await run(["ip", "-brief", "address"]) == before


async def _heard(plane: NftablesDataPlane) -> bytes:
    """What alice hears at a virtual address of an app that is bound to its own."""
    app, virtual = f"{NET}.1.100", f"{NET}.3.1"
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
