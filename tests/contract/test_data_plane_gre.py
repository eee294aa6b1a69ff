"""Tunnels of GRE: what came in a tunnel of a base station goes on in one, and what their far end says comes back."""

from __future__ import annotations

import asyncio
import socket

import pytest

from hanse.drivers.dataplane_nftables.namespaces import inside
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, Forwarding, Tunnel
from tests.bounds import SOON
from tests.contract.air import BaseStation, answered
from tests.contract.grounds import PORT, rule
from tests.contract.radio import Radio, counters, said, tunnels_counted, udp

HEADER = b"\0\0\x08\0"
"""Without key, checksum or number, of IPv4 (RFC 2784, 2.1)."""


class FarEnd:
    """The far end of a tunnel, among the applications: a raw socket."""

    def __init__(self, radio: Radio, at: str) -> None:
        self._six = ":" in at
        with inside(radio.space(radio.app)):
            family = socket.AF_INET6 if self._six else socket.AF_INET
            self._socket = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_GRE)
        self._socket.setblocking(False)
        self._socket.bind((at, 0))

    def __enter__(self) -> FarEnd:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    async def hear(self) -> tuple[str, bytes]:
        """Who sent the next packet, and what follows its header of IP."""
        async with asyncio.timeout(SOON):
            packet, sender = await asyncio.get_running_loop().sock_recvfrom(self._socket, 65535)
        return sender[0], packet if self._six else packet[20:]

    def send(self, to: str, packet: bytes) -> None:
        self._socket.sendto(HEADER + packet, (to, 0))


def onward(radio: Radio, **tunnel: str) -> Forwarding:
    """Datagrams to the virtual address go on to the core."""
    to = Tunnel(**({"tunnel_type": "GRE", "dst_address": radio.core} | tunnel))
    action = Action.FORWARD_ENCAPSULATED
    return rule(radio, action=action, matches=(udp(radio),), to_tunnel=to, to_address=ABSENT, to_port=ABSENT)


@pytest.mark.parametrize(
    ("own", "far", "others"),
    [("10.65.0.1", "10.65.1.50", "10.65.1.51"), ("fd00:65::1", "fd00:65:1::50", "fd00:65:1::51")],
)
async def test_what_goes_on_in_gre_keeps_its_addresses_and_its_answer_comes_back(
    radio: Radio, mast: BaseStation, own: str, far: str, others: str
) -> None:
    await radio.plane.install("r", onward(radio, dst_address=far))
    with (
        FarEnd(radio, far) as core,
        FarEnd(radio, others) as stranger,
        radio.socket(radio.ue, 41000, socket.SOCK_DGRAM) as device,
    ):
        await asyncio.get_running_loop().sock_sendto(device, b"through", (radio.virtual, PORT))
        sender, heard = await core.hear()
        assert (sender, heard[:4]) == (own, HEADER)
        assert heard[16:24] == socket.inet_aton(radio.ue) + socket.inet_aton(radio.virtual)
        stranger.send(own, answered(heard[4:]).replace(b"through", b"forged!"))
        core.send(own, answered(heard[4:]))
        assert await said(device, SOON) == b"through"
    assert mast.down[-1].teid == radio.usual.teid_down
    found = await counters(radio)
    assert (found.flows, found.bytes_up, found.bytes_down) == (1, 28 + 7, 28 + 7)
    await tunnels_counted(radio, foreign=1)


async def test_a_rule_may_change_from_one_kind_of_tunnel_to_the_other_and_back(radio: Radio, mast: BaseStation) -> None:
    loop = asyncio.get_running_loop()
    with (
        FarEnd(radio, radio.core) as core,
        radio.socket(radio.core, 2152, socket.SOCK_DGRAM) as gtp,
        radio.socket(radio.ue, 41000, socket.SOCK_DGRAM) as device,
    ):
        for kind in ("GRE", "GTP-U", "gre"):
            await radio.plane.install("r", onward(radio, tunnel_type=kind))
            await loop.sock_sendto(device, kind.encode(), (radio.virtual, PORT))
            async with asyncio.timeout(SOON):
                heard = await loop.sock_recv(gtp, 100) if kind == "GTP-U" else (await core.hear())[1]
            assert heard.endswith(kind.encode())


async def test_a_copy_in_gre_comes_to_the_far_end_and_the_flow_goes_on(radio: Radio, mast: BaseStation) -> None:
    loop = asyncio.get_running_loop()
    tunnel = Tunnel(tunnel_type="GRE", dst_address=radio.core)
    tap = rule(
        radio,
        "tap",
        action=Action.DUPLICATE_ENCAPSULATED,
        matches=(udp(radio),),
        to_tunnel=tunnel,
        to_address=ABSENT,
        to_port=ABSENT,
    )
    await radio.plane.install("r", rule(radio, matches=(udp(radio),)))
    await radio.plane.install("tap", tap)
    with (
        FarEnd(radio, radio.core) as core,
        radio.socket(radio.app, PORT, socket.SOCK_DGRAM) as app,
        radio.socket(radio.ue, 41000, socket.SOCK_DGRAM) as device,
    ):
        async with asyncio.timeout(SOON):
            await loop.sock_sendto(device, b"word", (radio.virtual, PORT))
            word, sender = await loop.sock_recvfrom(app, 100)
            await loop.sock_sendto(app, word.upper(), sender)
        assert await said(device, SOON) == b"WORD"
        copies = [(await core.hear())[1] for _ in range(2)]
    assert [copy[:4] for copy in copies] == [HEADER] * 2
    assert [copy[32:] for copy in copies] == [b"word", b"WORD"]
