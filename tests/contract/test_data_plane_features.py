"""Every data plane: what it says that it lacks it refuses with the reason, and what it does not lack it does."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from hanse.drivers.dataplane_nftables.namespaces import inside, run
from hanse.drivers.dataplane_nftables.tapping import tap_device
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, Ethernet, Feature, FilterType, Forwarding, TrafficMatch, Tunnel, features
from tests.bounds import SOON
from tests.contract.grounds import (
    PORT,
    Ground,
    Loopback,
    Namespaces,
    Run,
    applications,
    begun,
    connected,
    dial,
    echo,
    rule,
    says,
    told,
)
from tests.contract.radio import Radio

IPV6_TCLASS = 67
"""Of `linux/in6.h`: Python does not name it on every build."""


def asks_for(feature: Feature, ground: Ground) -> Forwarding:
    """A rule that needs one feature."""
    there = TrafficMatch(dst_address=(ground.virtual,), dst_port=(str(PORT),), protocol=("tcp",))
    filters = {
        Feature.IPV6: TrafficMatch(dst_address=("fd00:66::1",), dst_port=(str(PORT),)),
        Feature.ICMP: TrafficMatch(dst_address=(ground.virtual,), protocol=("icmp",)),
        Feature.PACKET_PROTOCOLS: TrafficMatch(dst_address=(ground.virtual,), protocol=("gre", "esp", "253")),
        Feature.DSCP: TrafficMatch(dst_address=(ground.virtual,), dst_port=(str(PORT),), dscp=46),
        Feature.TRAFFIC_CLASS: TrafficMatch(dst_port=(str(PORT),), tc=184),
        Feature.QCI: TrafficMatch(dst_address=(ground.virtual,), dst_port=(str(PORT),), qci=9),
        Feature.TUNNEL_FILTERS: TrafficMatch(tgt_tunnel_address=("10.9.9.9",), dst_port=(str(PORT),)),
        Feature.IN_INTERFACE: TrafficMatch(
            in_interface=("cells",), dst_address=(ground.virtual,), dst_port=(str(PORT),)
        ),
    }
    tunnel = {"to_address": ABSENT, "to_port": ABSENT, "to_tunnel": Tunnel(tunnel_type="GTP_U", dst_address="10.9.9.9")}
    changes: dict[Feature, dict[str, object]] = {
        Feature.IPV6: {"to_address": "fd00:65:1::3"},
        Feature.TRAFFIC_CLASS: {"to_address": "fd00:65:1::3"},
        Feature.MAC_INTERFACE: {"to_address": ABSENT, "to_mac": Ethernet(dst_address="02:00:00:00:00:01")},
        Feature.TUNNEL_INTERFACE: {"action": Action.FORWARD_ENCAPSULATED, **tunnel},
        Feature.FORWARD_ENCAPSULATED: tunnel,
        Feature.DUPLICATE_ENCAPSULATED: {"to_port": ABSENT},
    }
    action = Action(feature.value) if feature.value in Action.__members__ else Action.FORWARD_DECAPSULATED
    values = {"action": action, "matches": (filters.get(feature, there),)} | changes.get(feature, {})
    return rule(ground, "r", **values)


@pytest.fixture(params=[Loopback, Namespaces, Radio], ids=["userspace", "nftables", "base-stations"])
async def each(request: pytest.FixtureRequest) -> AsyncIterator[Ground]:
    """Each data plane, in the kernel with access networks of both kinds."""
    async with begun(request.param) as ground:
        yield ground


async def test_what_it_lacks_is_refused_with_the_reason_and_all_else_is_taken(each: Ground) -> None:
    lacks = (await each.plane.capabilities()).lacks
    for feature in Feature:
        wanted = asks_for(feature, each)
        if feature in lacks:
            with pytest.raises(Problem) as refused:
                await each.plane.install("r", wanted)
            assert (feature, refused.value.status) == (feature, 400)
            reasons = [lacks[asked] for _, asked in features(wanted) if asked in lacks]  # a tunnel asks for two things
            assert lacks[feature] in reasons
            assert any(reason in refused.value.detail for reason in reasons)
        else:
            await each.plane.install("r", wanted)
            assert await each.plane.forwardings() == [wanted]
            await each.plane.withdraw("r")
    assert await each.plane.forwardings() == []


async def test_a_kernel_with_base_stations_lacks_nothing_that_a_rule_may_ask() -> None:
    async with begun(Radio) as radio:
        assert not set(Feature) & (await radio.plane.capabilities()).lacks.keys()


async def test_user_space_lacks_exactly_what_needs_packets() -> None:
    async with begun(Loopback) as ground:
        assert set(Feature) & (await ground.plane.capabilities()).lacks.keys() == {
            Feature.IPV6,
            Feature.MAC_INTERFACE,
            Feature.ICMP,
            Feature.PACKET_PROTOCOLS,
            Feature.DSCP,
            Feature.TRAFFIC_CLASS,
            Feature.QCI,
            Feature.FORWARD_ENCAPSULATED,
            Feature.DUPLICATE_ENCAPSULATED,
            Feature.TUNNEL_FILTERS,
            Feature.TUNNEL_INTERFACE,
        }


async def test_a_rule_in_force_stays_as_it_was_when_its_new_form_is_refused(ground: Ground, serve: Run) -> None:
    await serve(echo)
    before = rule(ground)
    await ground.plane.install("r", before)
    with pytest.raises(Problem):
        await ground.plane.install("r", rule(ground, action=Action.FORWARD_ENCAPSULATED))
    assert await ground.plane.forwardings() == [before]


@pytest.fixture
async def spaces() -> AsyncIterator[Namespaces]:
    """The driver that sees packets themselves; that user space refuses these rules is tested above."""
    async with begun(Namespaces) as ground:
        yield ground


@pytest.fixture
async def serve_in(spaces: Namespaces) -> AsyncIterator[Run]:
    """Runs an application there until the test ends."""
    async with applications(spaces) as run:
        yield run


def dropping(spaces: Namespaces, match: TrafficMatch, kind: FilterType = FilterType.PACKET) -> Forwarding:
    values = {"action": Action.DROP, "to_address": ABSENT, "to_port": ABSENT}
    return rule(spaces, "d", priority=0, matches=(match,), filter_type=kind, **values)


class _Datagrams:
    """An application that keeps what it gets, and a device that sends."""

    def __init__(self, spaces: Namespaces, six: bool = False) -> None:
        self.to = (spaces.virtual6 if six else spaces.virtual, PORT)
        self.app = spaces.socket(spaces.app6 if six else spaces.app, PORT, socket.SOCK_DGRAM)
        self.device = spaces.socket(spaces.device6 if six else spaces.device, 0, socket.SOCK_DGRAM)

    async def heard(self, *words: bytes) -> list[bytes]:
        """What arrives of some words and one last one."""
        for word in (*words, b"end"):
            self.device.sendto(word, self.to)
        found = []
        async with asyncio.timeout(SOON):
            while (word := await asyncio.get_running_loop().sock_recv(self.app, 100)) != b"end":
                found.append(word)
        return found


def udp(spaces: Namespaces, six: bool = False, **more: object) -> TrafficMatch:
    virtual = spaces.virtual6 if six else spaces.virtual
    return TrafficMatch(dst_address=(virtual,), dst_port=(str(PORT),), protocol=("udp",), **more)  # type: ignore[arg-type]


async def test_packets_of_one_dscp_are_dropped_in_the_middle_of_a_flow(spaces: Namespaces) -> None:
    await spaces.plane.install("r", rule(spaces, matches=(udp(spaces),)))
    await spaces.plane.install("d", dropping(spaces, udp(spaces, dscp=46)))
    talk = _Datagrams(spaces)
    assert await talk.heard(b"one") == [b"one"]
    talk.device.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 46 << 2)
    talk.device.sendto(b"two", talk.to)
    talk.device.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0)
    assert await talk.heard(b"three") == [b"three"]
    assert {c.rule_id: c.refused for c in await spaces.plane.counters()} == {"d": 1, "r": 0}


async def test_packets_of_one_traffic_class_are_dropped_over_ipv6(spaces: Namespaces) -> None:
    await spaces.plane.install("r", rule(spaces, matches=(udp(spaces, six=True),), to_address=spaces.app6))
    await spaces.plane.install("d", dropping(spaces, udp(spaces, six=True, tc=184)))
    talk = _Datagrams(spaces, six=True)
    talk.device.setsockopt(socket.IPPROTO_IPV6, IPV6_TCLASS, 184)
    talk.device.sendto(b"two", talk.to)
    talk.device.setsockopt(socket.IPPROTO_IPV6, IPV6_TCLASS, 0)
    assert await talk.heard(b"three") == [b"three"]


async def test_a_flow_decided_by_a_better_priority_is_not_asked_again_by_packet(spaces: Namespaces) -> None:
    await spaces.plane.install("r", rule(spaces, priority=0, matches=(udp(spaces),)))
    drop = rule(spaces, "d", priority=1, matches=(udp(spaces),), filter_type=FilterType.PACKET, action=Action.DROP)
    await spaces.plane.install("d", drop)
    assert await _Datagrams(spaces).heard(b"one", b"two") == [b"one", b"two"]


async def test_an_access_network_is_told_from_another(ground: Ground, serve: Run) -> None:
    await serve(echo)
    match = TrafficMatch(in_interface=("hotspot",), dst_address=(ground.virtual,), dst_port=(str(PORT),))
    await ground.plane.install("r", rule(ground, matches=(match,)))
    with pytest.raises(ConnectionError):
        await told(ground, ground.device)
    _, writer = await dial(ground, ground.stranger)
    writer.close()
    elsewhere = TrafficMatch(in_interface=("sea",), dst_address=(ground.virtual,), dst_port=(str(PORT),))
    with pytest.raises(Problem, match="access networks are: cells, hotspot"):
        await ground.plane.install("s", rule(ground, "s", matches=(elsewhere,)))


async def test_a_ping_of_a_virtual_address_is_answered_by_the_application(spaces: Namespaces) -> None:
    match = TrafficMatch(dst_address=(spaces.virtual,), protocol=("icmp",))
    with inside(spaces.space(spaces.device)):
        ping = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    ping.setblocking(False)
    loop = asyncio.get_running_loop()
    request = struct.pack(">BBHHH", 8, 0, 0xFFFF - 0x0803, 1, 2)  # echo request with its checksum
    with ping:
        ping.sendto(request, (spaces.virtual, 0))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await loop.sock_recv(ping, 100)
        await spaces.plane.install("r", rule(spaces, matches=(match,)))
        ping.sendto(request, (spaces.virtual, 0))
        async with asyncio.timeout(SOON):
            answer, sender = await loop.sock_recvfrom(ping, 100)
    assert (answer[20], sender[0]) == (0, spaces.virtual)


async def test_what_passes_through_keeps_its_addresses_and_what_no_rule_takes_does_not_pass(
    spaces: Namespaces, serve_in: Run
) -> None:
    async def who(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(writer.get_extra_info("peername")[0].encode())

    await serve_in(who)
    direct = (spaces.app, PORT)
    with pytest.raises(ConnectionError):
        await connected(spaces.socket(spaces.device), direct)
    match = TrafficMatch(src_address=(spaces.device,), dst_address=(spaces.app,), protocol=("tcp",))
    await spaces.plane.install("r", rule(spaces, action=Action.PASSTHROUGH, matches=(match,)))
    reader, writer = await connected(spaces.socket(spaces.device), direct)
    assert await reader.read() == spaces.device.encode()
    writer.close()
    with pytest.raises(ConnectionError):
        await connected(spaces.socket(spaces.stranger), direct)


async def test_filters_of_one_priority_that_overlap_are_asked_by_rule_id(spaces: Namespaces, serve_in: Run) -> None:
    await serve_in(says(b"a"))
    await serve_in(says(b"b"), spaces.other_app)
    wide = (TrafficMatch(dst_address=(f"{spaces.virtual}-10.66.0.9",), protocol=("tcp",)),)
    await spaces.plane.install("b", rule(spaces, "b", matches=wide, to_address=spaces.other_app))
    assert await told(spaces) == b"b"
    await spaces.plane.install("a", rule(spaces, "a"))
    assert await told(spaces) == b"a"
    await spaces.plane.install("a", rule(spaces, "a", priority=11))
    assert await told(spaces) == b"b"
    await spaces.plane.withdraw("b")
    assert await told(spaces) == b"a"


async def test_a_change_that_the_kernel_refuses_spoils_none_that_came_with_it(
    spaces: Namespaces, serve_in: Run
) -> None:
    await serve_in(says(b"a"))
    taken = tap_device("10.65.1.77")
    await run(["ip", "link", "add", "name", taken, "type", "bridge"], namespace=spaces.site.plane_space)
    tap = rule(spaces, "tap", action=Action.DUPLICATE_DECAPSULATED, to_address="10.65.1.77")
    answers = await asyncio.gather(
        spaces.plane.install("good", rule(spaces, "good")), spaces.plane.install("tap", tap), return_exceptions=True
    )
    assert answers[0] is None
    assert isinstance(answers[1], Problem)
    assert [f.rule_id for f in await spaces.plane.forwardings()] == ["good"]
    assert await told(spaces) == b"a"
