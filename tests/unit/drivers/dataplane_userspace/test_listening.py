"""An operator learns at once what user space cannot carry out, and no rule takes more of the machine than it needs."""

from __future__ import annotations

import pytest

from hanse.drivers.dataplane_userspace.endpoints import ANYWHERE, Endpoint, is_loopback
from hanse.drivers.dataplane_userspace.listening import MOST_SOCKETS, Heard, Listening, listening
from hanse.drivers.dataplane_userspace.rules import read_rule
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, TrafficMatch

APP = "127.3.0.7"
WEB = TrafficMatch(dst_address=("127.8.0.1",), dst_port=("80",), protocol=("tcp",))
HEARD: Heard = {("tcp", APP): [80, 9000], ("udp", APP): [53], ("tcp", "127.3.0.8"): [81]}


def plan(*matches: TrafficMatch, **changes: object) -> Listening:
    values: dict[str, object] = {"action": Action.FORWARD_DECAPSULATED, "to_address": APP, "priority": 1} | changes
    forwarding = Forwarding(rule_id="r", owner="a", filter_type=FilterType.FLOW, matches=matches, **values)  # type: ignore[arg-type]
    return listening(read_rule(forwarding))


def listens(*matches: TrafficMatch, **changes: object) -> frozenset[Endpoint]:
    found = plan(*matches, **changes)
    assert not found.followed
    return found.fixed


def follows(*matches: TrafficMatch, heard: Heard = HEARD, **changes: object) -> frozenset[Endpoint]:
    found = plan(*matches, **changes)
    assert found.followed
    return found.following(heard)


def test_it_listens_on_each_address_port_and_protocol_once() -> None:
    both = TrafficMatch(dst_address=("127.8.0.1-127.8.0.2",), dst_port=("80", "443"))
    found = listens(both, WEB)
    assert len(found) == 8
    assert Endpoint("udp", "127.8.0.2", 443) in found


def test_a_drop_rule_needs_neither_socket_nor_target() -> None:
    assert plan(TrafficMatch(), action=Action.DROP, to_address=ABSENT) == Listening()


def test_a_rule_that_copies_needs_no_socket() -> None:
    assert plan(TrafficMatch(), action=Action.DUPLICATE_DECAPSULATED) == Listening()


@pytest.mark.parametrize(
    ("match", "changes", "title"),
    [
        (WEB, {"to_address": ABSENT}, "toAddress is missing"),
        (WEB, {"to_address": "app.example"}, "toAddress is not an IPv4 address"),
        (WEB, {"to_address": "app.example", "action": Action.PASSTHROUGH}, "toAddress is not an IPv4 address"),
        (WEB, {"to_port": 70000}, "toPort is not a port"),
        (WEB, {"to_address": "127.8.0.1"}, "toAddress is where the rule listens"),
        (TrafficMatch(dst_address=("10.0.0.1",), dst_port=("80",)), {}, "dstAddress cannot be listened on"),
        (TrafficMatch(dst_address=("10.0.0.0/8",)), {}, "dstAddress cannot be listened on"),
        (TrafficMatch(dst_address=("::1",), dst_port=("80",)), {}, "dstAddress cannot be listened on"),
        (TrafficMatch(dst_port=("80",)), {}, "dstAddress is too wide"),
        (TrafficMatch(dst_port=("80", "81")), {"to_port": 81}, "dstAddress is too wide"),
        (TrafficMatch(), {}, "dstAddress and dstPort are too wide"),
        (TrafficMatch(src_address=("127.9.0.5",)), {"to_port": 8080}, "dstAddress and dstPort are too wide"),
        (TrafficMatch(dst_address=("127.0.0.0/8",), dst_port=("1-65535",)), {}, "dstAddress and dstPort are too wide"),
        (TrafficMatch(dst_address=("127.8.0.0/22",), dst_port=("1-1000",)), {}, "dstAddress and dstPort are too wide"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_by_name(
    match: TrafficMatch, changes: dict[str, object], title: str
) -> None:
    with pytest.raises(Problem) as refused:
        plan(match, **changes)
    assert (refused.value.status, refused.value.title) == (400, title)
    assert refused.value.detail != title


def test_a_rule_for_every_address_takes_one_socket_a_port() -> None:
    for addresses in (ABSENT, ("0.0.0.0/0",), ("127.0.0.0/8",), ("127.0.0.0/7",), ("127.8.0.0/22",)):
        match = TrafficMatch(dst_address=addresses, dst_port=("80", "90-91"), protocol=("tcp",))
        assert listens(match, to_port=8080) == {Endpoint("tcp", ANYWHERE, port) for port in (80, 90, 91)}


def test_a_rule_for_a_network_that_is_not_large_leaves_its_port_to_others_elsewhere() -> None:
    found = listens(TrafficMatch(dst_address=("127.8.0.0/24",), dst_port=("80",)))
    assert len(found) == MOST_SOCKETS
    assert Endpoint("udp", "127.8.0.255", 80) in found


def test_the_application_keeps_its_own_address_and_port_in_a_network_that_leads_to_it() -> None:
    network = TrafficMatch(dst_address=("127.3.0.0/24",), dst_port=("80", "81"), protocol=("tcp",))
    found = listens(network, to_port=81)
    assert len(found) == MOST_SOCKETS - 1
    assert Endpoint("tcp", APP, 81) not in found
    assert Endpoint("tcp", APP, 80) in found, "which leads to its port 81"


def test_a_rule_for_every_port_listens_on_those_of_its_destination() -> None:
    wanted = {Endpoint("tcp", "127.8.0.1", 80), Endpoint("tcp", "127.8.0.1", 9000), Endpoint("udp", "127.8.0.1", 53)}
    assert follows(TrafficMatch(dst_address=("127.8.0.1",))) == wanted
    assert follows(TrafficMatch(dst_address=("127.8.0.1",)), to_port=80) == wanted
    assert follows(TrafficMatch(dst_address=("127.8.0.1",)), heard={}) == frozenset()


def test_of_those_it_takes_only_the_ports_and_protocols_that_it_names() -> None:
    match = TrafficMatch(dst_address=("127.8.0.1",), dst_port=("70-79", "1024-65535"), protocol=("tcp",))
    assert follows(match) == {Endpoint("tcp", "127.8.0.1", 9000)}


def test_it_does_not_take_the_ports_of_its_destination_from_it() -> None:
    found = follows(TrafficMatch(dst_address=("127.3.0.6-127.3.0.8",), protocol=("tcp",)))
    assert {endpoint.address for endpoint in found} == {"127.3.0.6", "127.3.0.8"}


def test_what_is_named_is_not_also_followed() -> None:
    found = plan(WEB, TrafficMatch(dst_address=("127.8.0.1",), protocol=("tcp",)))
    assert found.fixed == {Endpoint("tcp", "127.8.0.1", 80)}
    assert found.following(HEARD) == {Endpoint("tcp", "127.8.0.1", 9000)}


def test_a_destination_with_very_many_sockets_takes_no_more_than_a_filter_may() -> None:
    many: Heard = {("tcp", APP): list(range(1, 3000))}
    assert len(follows(TrafficMatch(dst_address=("127.8.0.1",)), heard=many)) == MOST_SOCKETS


def test_as_many_sockets_as_a_filter_may_have_are_all_taken_and_of_more_only_those_in_use() -> None:
    def ports(last: int) -> TrafficMatch:
        return TrafficMatch(dst_address=("127.8.0.1",), dst_port=(f"2001-{last}",), protocol=("tcp",))

    assert len(listens(ports(2000 + MOST_SOCKETS))) == MOST_SOCKETS
    assert follows(ports(2001 + MOST_SOCKETS)) == frozenset()


def test_what_passes_through_to_where_it_was_sent_needs_no_socket() -> None:
    own = TrafficMatch(dst_address=("127.8.0.1",))
    for target in (ABSENT, "127.8.0.1"):
        for match in (WEB, own, TrafficMatch(), TrafficMatch(dst_port=("80",))):
            found = plan(match, action=Action.PASSTHROUGH, to_address=target)
            assert not found.fixed
            assert not found.following({("tcp", "127.8.0.1"): [80]})


def test_what_passes_through_to_another_address_is_listened_for() -> None:
    assert listens(WEB, action=Action.PASSTHROUGH) == {Endpoint("tcp", "127.8.0.1", 80)}


def test_only_loopback_addresses_are_there_without_root() -> None:
    assert is_loopback("127.255.0.1")
    assert not any(is_loopback(text) for text in ("10.0.0.1", "::1", "localhost", ""))
