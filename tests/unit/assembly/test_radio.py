"""Base stations in the settings of a host: their devices reach apps through GTP-U, by the class of their bearers."""

from __future__ import annotations

import asyncio
import os
import socket
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.message
import pytest

from hanse.assembly.deployment import TEMPLATES
from hanse.assembly.settings import parse
from hanse.assembly.sites import site_of
from hanse.drivers.dataplane_nftables import NftablesDataPlane
from hanse.drivers.dataplane_nftables.namespaces import inside
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, NameRecord, TrafficMatch
from hanse.scenarios.stage import claim
from tests.bounds import SOON
from tests.contract.air import GTP, heard, udp4, wrapped
from tests.contract.grounds import bound
from tests.unit.assembly.test_data_plane_driver import refuse_unable, running, settings

RADIO = """
[hosts.harbour.radio]
address = "10.10.60.1/24"
devices = ["10.10.61.0/24"]

[[hosts.harbour.radio.bearers]]
base_station = "10.10.60.20"
teid_up = 0x1001
teid_down = 0x2001
addresses = ["10.10.61.10"]

[[hosts.harbour.radio.bearers]]
base_station = "10.10.60.20"
teid_up = 0x1002
teid_down = 0x2002
addresses = ["10.10.61.10"]
qci = 1
"""


@pytest.fixture
def networks() -> Iterator[dict[str, str]]:
    """Networks that nobody else on this machine has."""
    handle, found = claim()
    yield found
    os.close(handle)


class Mast:
    """A base station, which a packet of its device goes through."""

    def __init__(self, plane: NftablesDataPlane, net: str) -> None:
        with inside(plane.site.device_space("mast")):
            self.sock = bound(f"{net}60.20", GTP, socket.SOCK_DGRAM)
        self._end, self.ue = (f"{net}60.1", GTP), f"{net}61.10"

    def send(self, teid: int, to: tuple[str, int], words: bytes) -> None:
        """The device says something, from a port for each of its bearers."""
        self.sock.sendto(wrapped(teid, udp4(self.ue, to[0], 5000 + teid % 16, to[1], words)), self._end)

    async def hear(self) -> tuple[int, bytes]:
        """What comes for the device: the tunnel, and the words."""
        async with asyncio.timeout(SOON):
            message = heard(*await asyncio.get_running_loop().sock_recvfrom(self.sock, 4096))
        return message.teid, message.said[28:]


def by_class(net: str, qci: int, port: int) -> Forwarding:
    """Datagrams to the virtual address that come by bearers of a class go to a port of an app."""
    match = TrafficMatch(dst_address=(f"{net}200.1",), dst_port=("80",), protocol=("udp",), qci=qci)
    return Forwarding(
        rule_id=f"class-{qci}",
        owner="app",
        priority=1,
        filter_type=FilterType.FLOW,
        matches=(match,),
        action=Action.FORWARD_DECAPSULATED,
        to_address=f"{net}1.100",
        to_port=port,
    )


@pytest.mark.timeout(120)
async def test_bearers_of_the_settings_lead_to_apps_by_their_class_and_answers_go_back_by_them(
    tmp_path: Path, networks: dict[str, str]
) -> None:
    await refuse_unable()
    net, loop = networks["10.10."], asyncio.get_running_loop()
    async with running(tmp_path, networks, RADIO) as (plane, _):
        await plane.ground.attach("mast", "radio", (f"{net}60.20/24",))
        mast = Mast(plane, net)
        for qci, port in ((9, 8080), (1, 8081)):
            await plane.install(f"class-{qci}", by_class(net, qci, port))
        for teid_up, teid_down, port in ((0x1001, 0x2001, 8080), (0x1002, 0x2002, 8081)):
            with bound(f"{net}1.100", port, socket.SOCK_DGRAM) as app:
                async with asyncio.timeout(SOON):
                    mast.send(teid_up, (f"{net}200.1", 80), b"hello")
                    words, peer = await loop.sock_recvfrom(app, 100)
                app.sendto(words.upper(), peer)
                assert await mast.hear() == (teid_down, b"HELLO")


@pytest.mark.timeout(120)
async def test_a_device_behind_a_base_station_asks_the_name_server_without_a_rule_in_its_own_name(
    tmp_path: Path, networks: dict[str, str]
) -> None:
    await refuse_unable()
    net = networks["10.10."]
    async with running(tmp_path, networks, RADIO) as (plane, names):
        await plane.ground.attach("mast", "radio", (f"{net}60.20/24",))
        mast = Mast(plane, net)
        record = NameRecord(
            record_id="r", owner="app", name="who.example.com", address=f"{net}200.1", clients=(mast.ue,)
        )
        names.put(record)
        mast.send(0x1001, (names.address, names.port), dns.message.make_query("who.example.com", "A").to_wire())
        _, words = await mast.hear()
        assert str(dns.message.from_wire(words).answer[0][0]) == f"{net}200.1"


@pytest.mark.parametrize(
    ("change", "key", "hint"),
    [
        (("devices", ["10.10.60.0/25"]), "hosts.harbour.radio.devices", "of the base stations'"),
        (("devices", []), "hosts.harbour.radio.devices", "IPv4 networks"),
        (("address", "10.10.60.1"), "hosts.harbour.radio.address", "with a prefix"),
        (("address", "127.0.0.1/24"), "hosts.harbour.radio.address", "outside of 127"),
        (("name", "north-coast"), "hosts.harbour.radio.name", "not north-coast"),
        (("bearers", {"teid_up": 0}), "hosts.harbour.radio.bearers", "teidUp is none"),
        (("bearers", {"teid_up": 0x1002}), "hosts.harbour.radio.bearers", "teidUp is taken"),
        (("bearers", {"addresses": ["10.10.62.1"]}), "hosts.harbour.radio.bearers", "in the networks of devices"),
        (("bearers", {"qfi": 64}), "hosts.harbour.radio.bearers", "qfi is none"),
    ],
)
def test_what_cannot_be_of_base_stations_is_named(tmp_path: Path, change: tuple[str, Any], key: str, hint: str) -> None:
    text = (TEMPLATES / "two-operators-kernel" / "north.toml").read_text() + RADIO
    raw: dict[str, Any] = tomllib.loads(text)
    radio, (name, value) = raw["hosts"]["harbour"]["radio"], change
    if name == "bearers":
        radio["bearers"][0] |= value
    else:
        radio[name] = value
    with pytest.raises(Problem) as refused:
        parse(raw, tmp_path / "north.toml")
    assert f"key {key}" in refused.value.title
    assert hint in refused.value.detail


def test_base_stations_need_the_data_plane_of_the_kernel(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"hosts\.harbour\.radio") as refused:
        settings(tmp_path, "two-operators", {}, RADIO)
    assert "nftables" in refused.value.detail


def test_without_base_stations_a_site_has_the_network_of_its_zone_alone(tmp_path: Path) -> None:
    found = settings(tmp_path, "two-operators-kernel", {}, RADIO)
    assert [network.name for network in site_of(found, "harbour")[0].access] == ["north-coast", "radio"]
    assert [network.name for network in site_of(found, "airport")[0].access] == ["north-inland"]
