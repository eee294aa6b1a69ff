"""Which bearers a filter means, and which bearers cannot be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hanse.drivers.dataplane_nftables.gtp.bearer import Bearer, Bearers, Numbered, check
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import TrafficMatch

ONE = Bearer(
    network="radio", base_station="192.0.2.20", teid_up=1, teid_down=2, addresses=("10.9.0.1", "2001:db8::/64"), qci=9
)
TWO = msgspec.structs.replace(ONE, teid_up=3, qci=1)
THREE = msgspec.structs.replace(ONE, teid_up=1, base_station="2001:db8:1::20", network="other")
ALL = Bearers([Numbered(1, "192.0.2.1", ONE), Numbered(2, "192.0.2.1", TWO), Numbered(3, "2001:db8:1::1", THREE)])


@pytest.mark.parametrize(
    ("asks", "numbers"),
    [
        ({}, None),
        ({"src_tunnel_port": ("2152",)}, None),  # of each packet, not of a bearer
        ({"qci": 9}, [1, 3]),
        ({"qci": 1}, [2]),
        ({"qci": 5}, []),
        ({"src_tunnel_address": ("192.0.2.16-192.0.2.20",)}, [1, 2]),
        ({"src_tunnel_address": ("2001:db8:1::/48", "192.0.2.20")}, [1, 2, 3]),
        ({"tgt_tunnel_address": ("192.0.2.1",), "qci": 9}, [1]),
        ({"dst_tunnel_port": ("2152",)}, [1, 2, 3]),
        ({"dst_tunnel_port": ("1-2151", "2153")}, []),
        ({"dst_tunnel_port": ("2153",), "qci": 9}, []),
    ],
)
def test_a_filter_means_the_bearers_that_it_describes(asks: dict[str, Any], numbers: list[int] | None) -> None:
    found = ALL.chosen(TrafficMatch(**asks))
    assert (None if found is None else [each.number for each in found]) == numbers


@pytest.mark.parametrize(
    ("asks", "title"),
    [
        ({"qci": 256}, "qCI is none"),
        ({"qci": -1}, "qCI is none"),
        ({"src_tunnel_address": ("mast",)}, "srcTunnelAddress is not an address"),
        ({"tgt_tunnel_address": ("192.0.2.9-192.0.2.1",)}, "tgtTunnelAddress is not a range of addresses"),
        ({"dst_tunnel_port": ("gtp",)}, "dstTunnelPort is not a port"),
    ],
)
def test_what_no_tunnel_can_be_is_refused_by_name(asks: dict[str, Any], title: str) -> None:
    with pytest.raises(Problem) as refused:
        ALL.chosen(TrafficMatch(**asks))
    assert (refused.value.status, refused.value.title) == (400, title)


def test_bearers_that_can_be_are_taken() -> None:
    flows = [msgspec.structs.replace(ONE, qfi=qfi) for qfi in (1, 2)]
    check([ONE, TWO, *flows], ["radio"])
    check([], [])


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"network": "cells"}, "network has no tunnels"),
        ({"teid_up": 0}, "teidUp is none"),
        ({"teid_down": 2**32}, "teidDown is none"),
        ({"qci": 300}, "qci is none"),
        ({"qfi": 64}, "qfi is none"),
        ({"base_station": "mast"}, "baseStation is not an address"),
        ({"addresses": ()}, "addresses is empty"),
        ({"addresses": ("10.9.0.0/24",)}, "addresses has no device's"),
        ({"addresses": ("2001:db8::/48",)}, "addresses has no device's"),
        ({"addresses": ("alice",)}, "addresses has no device's"),
        ({}, "teidUp is taken"),
    ],
)
def test_a_bearer_that_cannot_be_is_refused_by_name(changes: dict[str, Any], title: str) -> None:
    with pytest.raises(Problem, match=title) as refused:
        check([ONE, msgspec.structs.replace(ONE, **changes)], ["radio"])
    assert (refused.value.status, bool(refused.value.detail)) == (400, True)
