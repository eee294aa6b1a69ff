"""By which bearer a packet goes: the one by which its flow came, and never that of another device."""

from __future__ import annotations

import socket
import struct

import pytest

from hanse.drivers.dataplane_nftables.gtp import inner, labels, table
from hanse.drivers.dataplane_nftables.gtp.bearer import Bearer, Numbered
from hanse.drivers.dataplane_nftables.gtp.inner import Packet, read
from hanse.drivers.dataplane_nftables.gtp.table import Ends, Table, told


def packet(src: str, dst: str, sport: int = 1, dport: int = 2, fragment: int = 0) -> Packet:
    version = socket.AF_INET6 if ":" in src else socket.AF_INET
    ends = socket.inet_pton(version, src) + socket.inet_pton(version, dst)
    head = (
        struct.pack(">BBHHHBBH", 0x45, 0, 28, 0, fragment, 64, 17, 0) if ":" not in src else b"\x60\0\0\0\0\x08\x11\x40"
    )
    found = read(head + ends + struct.pack(">HHHH", sport, dport, 8, 0))
    assert found
    return found


def bearer(number: int, *addresses: str, own: str = "192.0.2.1", teid: int = 0, **more: int) -> Numbered:
    up, down = teid or 100 + number, 200 + number
    made = Bearer(network="radio", base_station="192.0.2.20", teid_up=up, teid_down=down, addresses=addresses, **more)
    return Numbered(number, own, made)


def made(*bearers: Numbered, before: Table | None = None) -> Table:
    return Table(told(bearers, {"radio": "gtp0"}, {5: Ends("192.0.2.1", "192.0.2.99")}), before)


def number(table: Table, towards: Packet) -> int | None:
    found = table.of_device(towards.dst, towards.flow)
    return found.number if found else None


def test_a_device_with_one_bearer_has_that_one_for_both_ip_versions() -> None:
    table = made(bearer(1, "10.9.0.1", "2001:db8:0:1::/64"), bearer(2, "10.9.0.2"))
    assert number(table, packet("10.1.1.1", "10.9.0.1")) == 1
    assert number(table, packet("2001:db8:9::1", "2001:db8:0:1:dead:beef:0:1")) == 1
    assert number(table, packet("10.1.1.1", "10.9.0.3")) is None
    assert number(table, packet("2001:db8:9::1", "2001:db8:0:2::1")) is None


def test_an_answer_leaves_by_the_bearer_by_which_its_flow_came_and_all_else_by_the_first() -> None:
    table = made(bearer(1, "10.9.0.1"), bearer(2, "10.9.0.1"))
    table.came(table.numbered[2], packet("10.9.0.1", "10.1.1.1", 7, 80))
    assert number(table, packet("10.1.1.1", "10.9.0.1", 80, 7)) == 2
    assert number(table, packet("10.1.1.1", "10.9.0.1", 80, 8)) == 1
    assert number(table, packet("10.1.1.2", "10.9.0.1", 80, 7)) == 1
    table.came(table.numbered[1], packet("10.9.0.1", "10.1.1.1", 7, 80))  # it was moved
    assert number(table, packet("10.1.1.1", "10.9.0.1", 80, 7)) == 1


def test_flows_are_remembered_over_a_change_and_those_of_bearers_that_are_gone_are_not() -> None:
    before = made(bearer(1, "10.9.0.1"), bearer(2, "10.9.0.1"))
    before.came(before.numbered[2], packet("10.9.0.1", "10.1.1.1", 7, 80))
    answer = packet("10.1.1.1", "10.9.0.1", 80, 7)
    assert number(made(bearer(3, "10.9.0.1"), bearer(2, "10.9.0.1"), before=before), answer) == 2
    assert number(made(bearer(3, "10.9.0.1"), bearer(4, "10.9.0.1"), before=before), answer) == 3


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST_FLOWS", 3)
    two = made(bearer(1, "10.9.0.1"), bearer(2, "10.9.0.1"))
    for port in (1, 2, 3, 1, 4):
        two.came(two.numbered[2], packet("10.9.0.1", "10.1.1.1", port, 80))
    assert [number(two, packet("10.1.1.1", "10.9.0.1", 80, port)) for port in (1, 2, 3, 4)] == [2, 1, 2, 2]


def test_a_tunnel_is_known_where_it_ends_and_a_qos_flow_by_its_number() -> None:
    flows = [bearer(n, "10.9.0.1", teid=7, qfi=n) for n in (1, 2)]
    table = made(*flows, bearer(3, "10.9.0.1", own="192.0.2.2", teid=7))
    found = [table.tunnel_up(own, 7, qfi) for own, qfi in (("192.0.2.1", 2), ("192.0.2.1", None), ("192.0.2.2", 9))]
    assert [entry.number if entry else None for entry in found] == [2, 1, 3]
    assert table.tunnel_up("192.0.2.1", 8, None) is None
    assert table.tunnel_up("192.0.2.3", 7, None) is None


def test_the_far_end_of_a_tunnel_reaches_only_the_device_of_the_tunnel_that_it_names() -> None:
    table = made(bearer(1, "10.9.0.1"), bearer(2, "10.9.0.2"))
    assert table.knows_down(201)
    assert not table.knows_down(101)
    assert table.tunnel_down(201, inner.owner("10.9.0.1"))
    assert not table.tunnel_down(201, inner.owner("10.9.0.2"))
    assert table.far_ends == {("192.0.2.1", "192.0.2.99", "GTP_U")}


def test_a_fragment_has_no_ports_and_no_header_is_no_packet() -> None:
    assert packet("10.9.0.1", "10.1.1.1", 7, 80, fragment=1).flow[3:] == (b"", b"")
    assert packet("10.9.0.1", "10.1.1.1", 7, 80, fragment=0x2000).flow[3:] == (b"\0\x07", b"\0\x50")
    for broken in (b"", b"\x45" + bytes(18), b"\x60" + bytes(38), b"\x50" + bytes(40)):
        assert read(broken) is None


def test_a_label_says_its_bearer_and_port_to_the_rules_and_to_the_end() -> None:
    label = labels.of_bearer(labels.MOST_BEARERS, 40000)
    assert labels.written(label) == "02:9c:40:ff:ff:ff"
    assert labels.bearer(label) == labels.MOST_BEARERS
    assert labels.tunnel(labels.of_tunnel(77)) == 77
    for address in (label, labels.of_tunnel(1), labels.DEVICES, labels.FAR_ENDS):
        assert address[0] & 0x03 == 0x02, "of nobody's making, and of no group"
