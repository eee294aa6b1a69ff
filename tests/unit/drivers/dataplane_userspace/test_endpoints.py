"""An operator learns at once what user space cannot carry out, before anything listens."""

from __future__ import annotations

import pytest

from hanse.drivers.dataplane_userspace.endpoints import Endpoint, endpoints, is_loopback
from hanse.drivers.dataplane_userspace.rules import read_rule
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, TrafficMatch

WEB = TrafficMatch(dst_address=("127.8.0.1",), dst_port=("80",), protocol=("tcp",))


def listens(*matches: TrafficMatch, **changes: object) -> frozenset[Endpoint]:
    values: dict[str, object] = {"action": Action.PASSTHROUGH, "to_address": "127.3.0.7", "priority": 1} | changes
    forwarding = Forwarding(rule_id="r", owner="a", filter_type=FilterType.FLOW, matches=matches, **values)  # type: ignore[arg-type]
    return endpoints(read_rule(forwarding))


def test_it_listens_on_each_address_port_and_protocol_once() -> None:
    both = TrafficMatch(dst_address=("127.8.0.1-127.8.0.2",), dst_port=("80", "443"))
    found = listens(both, WEB)
    assert len(found) == 8
    assert Endpoint("udp", "127.8.0.2", 443) in found


def test_a_drop_rule_needs_neither_socket_nor_target() -> None:
    assert listens(TrafficMatch(), action=Action.DROP, to_address=ABSENT) == frozenset()


@pytest.mark.parametrize(
    ("match", "changes", "title"),
    [
        (WEB, {"to_address": ABSENT}, "toAddress is missing"),
        (WEB, {"to_address": "app.example"}, "toAddress is not an IPv4 address"),
        (WEB, {"to_port": 70000}, "toPort is not a port"),
        (WEB, {"to_address": "127.8.0.1"}, "toAddress is where the rule listens"),
        (TrafficMatch(dst_port=("80",)), {}, "dstAddress is missing"),
        (TrafficMatch(dst_address=("127.8.0.1",)), {}, "dstPort is missing"),
        (TrafficMatch(dst_address=("10.0.0.1",), dst_port=("80",)), {}, "dstAddress cannot be listened on"),
        (TrafficMatch(dst_address=("127.0.0.0/7",), dst_port=("80",)), {}, "dstAddress cannot be listened on"),
        (TrafficMatch(dst_address=("::1",), dst_port=("80",)), {}, "dstAddress cannot be listened on"),
        (TrafficMatch(dst_address=("127.0.0.0/8",), dst_port=("1-65535",)), {}, "dstAddress and dstPort are too wide"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_by_name(
    match: TrafficMatch, changes: dict[str, object], title: str
) -> None:
    with pytest.raises(Problem) as refused:
        listens(match, **changes)
    assert (refused.value.status, refused.value.title) == (400, title)
    assert refused.value.detail != title


def test_sixty_four_sockets_are_not_too_many_and_one_more_is() -> None:
    assert len(listens(TrafficMatch(dst_address=("127.8.0.1",), dst_port=("2000-2063",), protocol=("tcp",)))) == 64
    with pytest.raises(Problem, match="would take 65 sockets"):
        listens(TrafficMatch(dst_address=("127.8.0.1",), dst_port=("2000-2064",), protocol=("tcp",)))


def test_only_loopback_addresses_are_there_without_root() -> None:
    assert is_loopback("127.255.0.1")
    assert not any(is_loopback(text) for text in ("10.0.0.1", "::1", "localhost", ""))
