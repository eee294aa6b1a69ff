"""Packets in GRE, held against what is written here by hand (RFC 2784, RFC 2890, RFC 1071)."""

from __future__ import annotations

import socket
import struct

import pytest

from hanse.drivers.dataplane_nftables.gtp import gre, labels, message
from hanse.drivers.dataplane_nftables.gtp.message import Malformed
from hanse.drivers.dataplane_nftables.gtp.table import Ends, Table, told
from hanse.drivers.dataplane_nftables.gtp.tunnels import Datagram, Frame, TunnelEnd
from hanse.drivers.dataplane_nftables.names import FAR_END_DEVICE, GRE
from tests.unit.drivers.dataplane_nftables.gtp.test_table import bearer

OWN, FAR, DEVICE = "192.0.2.1", "192.0.2.99", "10.9.0.1"


def packet(dst: str = DEVICE) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 24, 0, 0, 64, 253, 0)
    return head + socket.inet_aton("10.66.0.1") + socket.inet_aton(dst) + b"word"


def end() -> TunnelEnd:
    """With one bearer, number 1, and a tunnel of GRE, number 5."""
    made = TunnelEnd()
    made.table = Table(told((bearer(1, DEVICE),), {"radio": "gtp0"}, {5: Ends(OWN, FAR, GRE)}))
    return made


def summed(said: bytes) -> bytes:
    """With the right checksum after the first four bytes."""
    total = sum(struct.unpack(f">{len(said) // 2}H", said))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return said[:4] + struct.pack(">H", ~total & 0xFFFF) + said[6:]


@pytest.mark.parametrize(
    "head",
    [
        b"\0\0\x08\0",
        b"\x20\0\x08\0\0\0\0\7",
        b"\x10\0\x08\0\0\0\0\1",
        b"\x30\0\x08\0\0\0\0\7\0\0\0\1",
        b"\x03\xf8\x08\0",
    ],
)
def test_a_packet_is_found_behind_whatever_fields_its_header_has(head: bytes) -> None:
    assert gre.read(head + packet()) == packet()


def test_a_packet_with_a_checksum_is_taken_if_that_is_right_and_only_then() -> None:
    right = summed(b"\x80\0\x08\0\0\0\0\0" + packet())
    assert gre.read(right) == packet()
    with pytest.raises(Malformed, match="checksum"):
        gre.read(right[:-1] + b"!")


@pytest.mark.parametrize("said", [b"", b"\0\0\x08", b"\x20\0\x08\0\0\0", b"\x40\0\x08\0", b"\x20\1\x88\x0b\0\0\0\0"])
def test_what_is_no_whole_packet_or_another_version_is_malformed(said: bytes) -> None:
    with pytest.raises(Malformed):
        gre.read(said)


def test_what_a_rule_sends_by_gre_has_the_plain_header_and_no_tunnel_of_its_device_in_it() -> None:
    frame = labels.of_tunnel(5) + labels.of_bearer(1, 2152) + b"\x08\0" + packet()
    assert end().frame(FAR_END_DEVICE, frame) == Datagram(OWN, (FAR, 0), b"\0\0\x08\0" + packet(), GRE)


def test_the_far_end_reaches_devices_that_have_bearers_and_nobody_else_does() -> None:
    made = end()
    handed = made.from_gre(OWN, FAR, b"\0\0\x08\0" + packet())
    assert isinstance(handed, Frame)
    assert (handed.device, handed.said[12:]) == (FAR_END_DEVICE, b"\x08\0" + packet())
    assert made.from_gre(OWN, FAR, b"\0\0\x08\0" + packet("10.9.0.7")) is None
    assert made.from_gre(OWN, "192.0.2.98", b"\0\0\x08\0" + packet()) is None
    assert made.from_gre(OWN, FAR, b"\0\0\x86\xdd" + packet()) is None
    assert made.from_gre(OWN, FAR, b"\0") is None
    assert made.counts == {"from_tunnels": 1, "foreign": 2, "no_packet": 1, "malformed": 1}


def test_the_far_end_of_gre_is_none_of_gtp_u() -> None:
    made = end()
    spoken = message.g_pdu(201, packet())
    assert isinstance(made.datagram(OWN, (FAR, 2152), spoken), Datagram)
    assert made.counts == {"unknown_teid": 1}
