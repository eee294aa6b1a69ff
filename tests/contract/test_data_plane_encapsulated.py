"""What goes on in a tunnel: packets that a rule sends to another tunnel end, and copies, both in GTP-U as they came."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from hanse.drivers.dataplane_nftables.namespaces import inside
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, Ethernet, FilterType, Forwarding, Tunnel
from tests.bounds import SOON
from tests.contract.air import ERROR_INDICATION, BaseStation, End, answered, udp4
from tests.contract.grounds import PORT, Run, connected, rule, says
from tests.contract.radio import Radio, counters, said, said_to, to_app, tunnels_counted, udp


def onward(radio: Radio, **changes: object) -> Forwarding:
    """Datagrams to the virtual address go on in a tunnel to the core."""
    tunnel = Tunnel(tunnel_type="GTP_U", dst_address=radio.core)
    values: dict[str, object] = {"action": Action.FORWARD_ENCAPSULATED, "matches": (udp(radio),), "to_tunnel": tunnel}
    return rule(radio, **(values | {"to_address": ABSENT, "to_port": ABSENT} | changes))  # type: ignore[arg-type]


def core_of(radio: Radio) -> End:
    """The far end of a tunnel, among the applications."""
    return End(radio, radio.core, to=radio.own)


async def talked(radio: Radio, core: End, word: bytes) -> bytes:
    """A device says a word, the core hears it in its tunnel, and what it answers in the device's tunnel comes back."""
    with radio.socket(radio.ue, 41000, socket.SOCK_DGRAM) as device:
        await asyncio.get_running_loop().sock_sendto(device, word, (radio.virtual, PORT))
        heard = await core.hear()
        assert (heard.teid, heard.sender) == (radio.usual.teid_up, core.to)
        assert heard.said[12:20] == socket.inet_aton(radio.ue) + socket.inet_aton(radio.virtual)
        core.send(radio.usual.teid_down, answered(heard.said))
        return await said(device)


async def test_what_goes_on_encapsulated_keeps_its_tunnel_and_addresses_and_its_answer_comes_back(
    radio: Radio, mast: BaseStation
) -> None:
    await radio.plane.install("r", onward(radio))
    assert await talked(radio, core_of(radio), b"through") == b"through"
    assert mast.down[-1].teid == radio.usual.teid_down
    found = await counters(radio)
    assert (found.flows, found.bytes_up, found.bytes_down) == (1, 28 + 7, 28 + 7)


async def test_an_application_may_be_the_far_end_of_the_tunnel(radio: Radio, mast: BaseStation) -> None:
    await radio.plane.install("r", onward(radio, to_address=radio.core, to_tunnel=ABSENT))
    assert await talked(radio, core_of(radio), b"to an address") == b"to an address"


async def test_the_tunnel_begins_at_the_address_that_it_names(radio: Radio, mast: BaseStation) -> None:
    tunnel = Tunnel(tunnel_type="GTP_U", dst_address=radio.other_mast, src_address=radio.plane_end)
    await radio.plane.install("r", onward(radio, to_tunnel=tunnel))
    assert await talked(radio, End(radio, radio.other_mast), b"named") == b"named"


async def test_each_rule_sends_by_its_own_tunnel(radio: Radio, mast: BaseStation) -> None:
    other = Tunnel(tunnel_type="GTP_U", dst_address="10.65.1.51")
    await radio.plane.install("r", onward(radio))
    voice = onward(radio, rule_id="q", matches=(udp(radio, qci=1),), priority=0, to_tunnel=other)
    await radio.plane.install("q", voice)
    ends = [core_of(radio), End(radio, "10.65.1.51", to=radio.own)]
    for bearer in (radio.usual, radio.voice):
        mast.send(bearer.teid_up, udp4(radio.ue, radio.virtual, bearer.qci, PORT, b"word"))
    assert [(await end.hear()).teid for end in ends] == [radio.usual.teid_up, radio.voice.teid_up]
    await radio.plane.withdraw("q")
    mast.send(radio.voice.teid_up, udp4(radio.ue, radio.virtual, 7, PORT, b"word"))
    assert (await ends[0].hear()).teid == radio.voice.teid_up
    assert ends[1].now() == []


async def test_a_plain_device_is_not_sent_on_in_a_tunnel(radio: Radio, serve_radio: Run) -> None:
    await serve_radio(says(b"plain"))
    everything = onward(radio).matches[0]
    await radio.plane.install("r", onward(radio, rule_id="r", priority=0, matches=(everything, udp(radio))))
    await radio.plane.install("z", to_app(radio, "z"))
    reader, writer = await connected(radio.socket(radio.device), (radio.virtual, PORT))
    assert await reader.read() == b"plain"
    writer.close()


async def test_a_stranger_cannot_reach_a_device_by_its_tunnel(radio: Radio, mast: BaseStation) -> None:
    """Who is the far end of no tunnel hears that there is none, and the far end of one reaches its own device only."""
    await radio.plane.install("r", onward(radio))
    packet = udp4(radio.virtual, radio.ue, PORT, 41000, b"who are you")
    stranger = End(radio, "10.65.1.52", to=radio.own)
    stranger.send(radio.usual.teid_down, packet)
    assert (await stranger.hear()).kind == ERROR_INDICATION
    before = await radio.nftables.tunnel_counts()
    core_of(radio).send(radio.usual.teid_down, udp4(radio.virtual, radio.other_ue, PORT, 41000, b"not mine"))
    await tunnels_counted(radio, unknown_teid=1, foreign=before.get("foreign", 0) + 1)
    assert mast.down == []


def copying(radio: Radio, **changes: object) -> Forwarding:
    values: dict[str, object] = {"action": Action.DUPLICATE_ENCAPSULATED, "matches": (udp(radio),), "priority": 5}
    return rule(radio, "tap", **(values | {"to_address": radio.core, "to_port": ABSENT} | changes))


async def conversation(radio: Radio, word: bytes) -> None:
    """A device and an application that answers each other by a rule."""
    loop = asyncio.get_running_loop()
    app, device = radio.socket(radio.app, PORT, socket.SOCK_DGRAM), radio.socket(radio.ue, 0, socket.SOCK_DGRAM)
    with app, device:
        async with asyncio.timeout(SOON):
            await loop.sock_sendto(device, word, (radio.virtual, PORT))
            got, sender = await loop.sock_recvfrom(app, 100)
            await loop.sock_sendto(app, got.upper(), sender)
        assert await said(device) == word.upper()


async def test_copies_in_their_tunnel_come_to_an_application_and_the_flow_goes_on(
    radio: Radio, mast: BaseStation
) -> None:
    await radio.plane.install("r", rule(radio, matches=(udp(radio),)))
    await radio.plane.install("tap", copying(radio))
    core = core_of(radio)
    await conversation(radio, b"word")
    copies = [await core.hear() for _ in range(2)]
    assert [(m.teid, m.said[28:]) for m in copies] == [
        (radio.usual.teid_up, b"word"),
        (radio.usual.teid_down, b"WORD"),
    ]
    found = await counters(radio, "tap")
    assert (found.flows, found.bytes_up, found.bytes_down) == (0, 32, 32)
    assert (await counters(radio)).flows == 1


async def test_two_tunnels_get_one_direction_each(radio: Radio, mast: BaseStation) -> None:
    await radio.plane.install("r", rule(radio, matches=(udp(radio),)))
    tunnels = [Tunnel(tunnel_type="GTP_U", dst_address=at) for at in (radio.core, "10.65.1.51")]
    await radio.plane.install("tap", copying(radio, to_address=ABSENT, to_tunnel=tunnels[0], core_tunnel=tunnels[1]))
    ends = [core_of(radio), End(radio, "10.65.1.51", to=radio.own)]
    await conversation(radio, b"word")
    assert [(await end.hear()).said[28:] for end in ends] == [b"word", b"WORD"]
    assert [end.now() for end in ends] == [[], []]


async def test_copies_of_one_class_are_of_its_bearer_only(radio: Radio, mast: BaseStation) -> None:
    await radio.plane.install("r", rule(radio, matches=(udp(radio),)))
    asks = {"matches": (udp(radio, qci=1),), "filter_type": FilterType.PACKET}
    await radio.plane.install("tap", copying(radio, **asks))
    core = core_of(radio)
    for bearer in (radio.usual, radio.voice):
        mast.send(bearer.teid_up, udp4(radio.ue, radio.virtual, bearer.qci, PORT, b"%d" % bearer.qci))
    heard = await core.hear()
    assert (heard.teid, heard.said[28:]) == (radio.voice.teid_up, b"1")
    assert core.now() == []


async def test_copies_in_a_tunnel_do_not_go_round_although_applications_forward(
    radio: Radio, mast: BaseStation
) -> None:
    await radio.plane.install("r", rule(radio, matches=(udp(radio),)))
    await radio.plane.install("tap", copying(radio))
    with inside(radio.site.home_space):
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    await conversation(radio, b"word")  # nobody listens at the far end
    await asyncio.sleep(0.3)
    await tunnels_counted(radio, up=1, down=1, to_tunnels=2)


async def test_a_device_that_is_sent_on_may_still_reach_an_application(
    radio: Radio, mast: BaseStation, serve_radio: Run
) -> None:
    await serve_radio(says(b"app"))
    await radio.plane.install("r", onward(radio, priority=200))
    await radio.plane.install("a", to_app(radio, "a"))
    assert await said_to(radio) == b"app"


def gtp_u(to: str, **more: str) -> dict[str, object]:
    return {"to_tunnel": Tunnel(tunnel_type="GTP_U", dst_address=to, **more)}


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"to_address": Radio.core}, "toAddress, toMac and toTunnel exclude each other"),
        ({"to_tunnel": Tunnel(tunnel_type="VXLAN", dst_address=Radio.core)}, "toTunnel is of an unknown type"),
        ({"to_tunnel": Tunnel(tunnel_type="GTP_U")}, "toTunnel.dstAddress is missing"),
        (gtp_u("core"), "toTunnel.dstAddress is not an address"),
        (gtp_u(Radio.own), "toTunnel.dstAddress is the data plane's own"),
        (gtp_u(Radio.core, src_address="10.9.9.9"), "toTunnel has no end here"),
        ({"action": Action.FORWARD_DECAPSULATED}, "toTunnel does not go with the action"),
        ({"to_port": 80}, "toPort is not that of tunnels"),
        ({"to_tunnel": ABSENT}, "toAddress is missing"),
        (
            {"to_tunnel": ABSENT, "to_mac": Ethernet(dst_address="02:00:00:00:00:01")},
            "toMac does not go with the action",
        ),
    ],
)
async def test_a_tunnel_that_cannot_be_is_refused_by_name(radio: Radio, changes: dict[str, object], title: str) -> None:
    with pytest.raises(Problem, match=title) as refused:
        await radio.plane.install("r", onward(radio, **changes))
    assert (refused.value.status, await radio.plane.forwardings()) == (400, [])
