"""Bearers and their tunnels: filters tell them apart, by class and by both ends."""

from __future__ import annotations

import asyncio
import socket

import pytest

from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, FilterType
from tests.bounds import SOON
from tests.contract.air import ERROR_INDICATION, SESSION, BaseStation, End, on_air, udp4, wrapped
from tests.contract.grounds import PORT, Run, connected, echo, rule, says
from tests.contract.radio import Radio, bearer, counters, said, said_to, to_app, udp

FROM_MAST = {"src_tunnel_address": ("10.64.3.16/28",)}


async def test_the_class_of_a_bearer_decides_and_answers_leave_by_the_bearer_by_which_their_flow_came(
    radio: Radio, mast: BaseStation, serve_radio: Run
) -> None:
    await serve_radio(says(b"usual"))
    await serve_radio(says(b"voice"), radio.other_app)
    await radio.plane.install("r", to_app(radio, qci=9))
    await radio.plane.install("v", to_app(radio, "v", radio.other_app, qci=1))
    bearers = {41000: radio.usual, 41001: radio.voice}
    mast.choose = lambda packet: wrapped(bearers[int.from_bytes(packet[20:22], "big")].teid_up, packet)
    assert [await said_to(radio, port=port) for port in bearers] == [b"usual", b"voice"]
    came = {(int.from_bytes(m.said[22:24], "big"), m.teid) for m in mast.down}
    assert came == {(port, bearer.teid_down) for port, bearer in bearers.items()}
    assert [(await counters(radio, i)).flows for i in ("r", "v")] == [1, 1]


async def test_packets_of_one_class_are_dropped_in_the_middle_of_a_flow(radio: Radio) -> None:
    drops = {"action": Action.DROP, "to_address": ABSENT, "to_port": ABSENT, "filter_type": FilterType.PACKET}
    await radio.plane.install("d", rule(radio, "d", priority=0, matches=(udp(radio, qci=1),), **drops))
    await radio.plane.install("r", rule(radio, matches=(udp(radio),)))
    app, mast = radio.socket(radio.app, PORT, socket.SOCK_DGRAM), End(radio, radio.mast)
    for teid, word in ((0x1001, b"one"), (0x1002, b"two"), (0x1001, b"three")):
        mast.send(teid, udp4(radio.ue, radio.virtual, 1, PORT, word))
    assert [await said(app) for _ in range(2)] == [b"one", b"three"]
    assert (await counters(radio, "d")).refused == 1


@pytest.mark.parametrize(
    ("asks", "taken"),
    [
        (FROM_MAST, True),
        ({"src_tunnel_address": (Radio.other_mast,)}, False),
        ({"tgt_tunnel_address": ("10.64.3.1-10.64.3.9", "10.9.9.9")}, True),
        ({"tgt_tunnel_address": ("10.9.9.9",)}, False),
        ({"dst_tunnel_port": ("2000-2200",)}, True),
        ({"dst_tunnel_port": ("2153",)}, False),
        ({"src_tunnel_port": ("40000-40010", "7")}, True),
        ({"src_tunnel_port": ("40000-40002", "40004")}, False),
        ({**FROM_MAST, "src_tunnel_port": ("40003",), "qci": 9, "in_interface": ("radio",)}, True),
        ({**FROM_MAST, "qci": 1}, False),
        ({"in_interface": ("radio",)}, True),
        ({"in_interface": ("cells",)}, False),
    ],
)
async def test_a_filter_tells_tunnels_apart(radio: Radio, asks: dict[str, object], taken: bool) -> None:
    await radio.plane.install("r", rule(radio, matches=(udp(radio, **asks),)))
    await radio.plane.install("z", rule(radio, "z", priority=200, matches=(udp(radio),), to_address=radio.other_app))
    first, second = (radio.socket(at, PORT, socket.SOCK_DGRAM) for at in (radio.app, radio.other_app))
    End(radio, radio.mast, 40003).send(radio.usual.teid_up, udp4(radio.ue, radio.virtual, 1, PORT, b"here"))
    assert await said(first if taken else second) == b"here"


async def test_a_filter_that_asks_for_tunnels_takes_no_plain_device(radio: Radio, serve_radio: Run) -> None:
    await serve_radio(says(b"hello"))
    await radio.plane.install("r", to_app(radio, tgt_tunnel_address=("0.0.0.0/0",)))
    with pytest.raises(ConnectionError):
        await connected(radio.socket(radio.device), (radio.virtual, PORT))
    with pytest.raises(Problem, match="inInterface has no tunnels"):
        await radio.plane.install("s", to_app(radio, "s", qci=9, in_interface=("cells",)))


async def test_qos_flows_of_one_session_are_told_by_their_container(radio: Radio, serve_radio: Run) -> None:
    flows = [bearer(0x3001, 0x4001, (radio.ue,), qci, qfi=qfi) for qci, qfi in ((9, 5), (80, 6))]
    await radio.nftables.bear(flows)
    await serve_radio(says(b"game"))
    await radio.plane.install("r", to_app(radio, qci=80))
    async with on_air(radio) as mast:
        mast.choose = lambda packet: wrapped(0x3001, b"\0\0\0\x85\x01\x10\x05\x00" + packet, flags=0x34)
        with pytest.raises(ConnectionError):
            await said_to(radio)
        assert {m.extensions[SESSION] for m in mast.down} == {b"\x00\x05"}
        mast.choose = lambda packet: wrapped(0x3001, b"\0\0\0\x85\x01\x10\x06\x00" + packet, flags=0x34)
        assert await said_to(radio, port=41001) == b"game"
        its = [m for m in mast.down if int.from_bytes(m.said[22:24], "big") == 41001]
        assert {(m.teid, m.extensions[SESSION]) for m in its} == {(0x4001, b"\x00\x06")}


async def test_bearers_that_change_touch_no_flow_and_rules_mean_the_new_ones(
    radio: Radio, mast: BaseStation, serve_radio: Run
) -> None:
    await serve_radio(echo)
    await radio.plane.install("r", to_app(radio, qci=9))
    reader, writer = await connected(radio.socket(radio.ue), (radio.virtual, PORT))
    writer.write(b"before")
    assert await reader.readexactly(6) == b"before"
    handed_over = bearer(0x1003, 0x2003, (radio.ue,), 9)
    await radio.nftables.bear([handed_over])
    mast.choose = lambda packet: wrapped(0x1003, packet)
    mast.down.clear()
    writer.write(b"after")
    writer.write_eof()
    async with asyncio.timeout(SOON):
        assert await reader.read() == b"after"
    writer.close()
    assert {m.teid for m in mast.down} == {0x2003}
    assert (await counters(radio)).flows == 1
    assert await said_to(radio, b"again") == b"again"
    mast.choose = lambda packet: wrapped(0x1001, packet)
    with pytest.raises(TimeoutError):
        await connected(radio.socket(radio.ue), (radio.virtual, PORT), patience=0.5)
    async with asyncio.timeout(SOON):
        while not mast.signals:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert mast.signals[-1].kind == ERROR_INDICATION
