"""GTP-U on the wire: what is read is what was said, and what is broken is refused, not guessed."""

from __future__ import annotations

import random
import struct

import pytest

from hanse.drivers.dataplane_nftables.gtp.message import (
    Kind,
    Malformed,
    echo_response,
    error_indication,
    g_pdu,
    read,
    supported_extensions,
)

PACKET = b"\x45" + bytes(range(60))


def plain(kind: int, body: bytes, flags: int = 0x30, teid: int = 7) -> bytes:
    return struct.pack(">BBHI", flags, kind, len(body), teid) + body


def test_a_packet_is_wrapped_in_eight_bytes_as_the_specification_draws_them() -> None:
    assert g_pdu(0x01020304, b"abc") == bytes.fromhex("30ff0003 01020304".replace(" ", "")) + b"abc"


def test_a_qos_flow_goes_in_a_container_of_its_direction() -> None:
    down, up = g_pdu(1, b"abc", 9), g_pdu(1, b"abc", 9, up=True)
    assert down == bytes.fromhex("34ff000b00000001" + "00000085" + "01000900") + b"abc"
    assert up == bytes.fromhex("34ff000b00000001" + "00000085" + "01100900") + b"abc"


@pytest.mark.parametrize("qfi", [None, 0, 63])
def test_what_is_wrapped_is_read_again(qfi: int | None) -> None:
    found = read(g_pdu(2**32 - 1, PACKET, qfi))
    assert (found.kind, found.teid, bytes(found.payload), found.qfi) == (Kind.G_PDU, 2**32 - 1, PACKET, qfi)
    assert found.strange == ()


def test_a_number_without_extensions_is_passed_over() -> None:
    found = read(plain(255, b"\x12\x34\x00\x85" + PACKET, flags=0x32))  # the type counts only where the flag says so
    assert (found.sequence, bytes(found.payload), found.qfi) == (0x1234, PACKET, None)


def test_several_extensions_are_read_and_only_those_that_must_be_understood_are_strange() -> None:
    body = b"\0\0\0\x40" + b"\x01\x08\x68\x85" + b"\x01\x10\x2a\xc0" + b"\x02" + bytes(6) + b"\x00" + PACKET
    found = read(plain(255, body, flags=0x34))
    assert (found.qfi, found.strange, bytes(found.payload)) == (0x2A, (0xC0,), PACKET)


def test_what_follows_a_message_is_not_of_it() -> None:
    assert bytes(read(g_pdu(7, PACKET) + b"padding").payload) == PACKET


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "shorter"),
        (b"\x30\xff\x00", "shorter"),
        (plain(255, PACKET, flags=0x50), "version"),
        (plain(255, PACKET, flags=0x20), "version"),  # GTP' has the same port and another protocol type
        (plain(255, PACKET)[:-1], "cut off"),
        (plain(255, b"\0\0", flags=0x32), "optional"),
        (plain(255, b"\0\0\0\x85", flags=0x34), "extension"),
        (plain(255, b"\0\0\0\x85\x00\x00\x00\x00", flags=0x34), "extension"),
        (plain(255, b"\0\0\0\x85\x02\x00\x00\x00", flags=0x34), "extension"),
    ],
)
def test_what_is_broken_is_refused(said: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read(said)


def test_no_datagram_makes_it_fail_otherwise() -> None:
    chance = random.Random(29281)
    for _ in range(20_000):
        said = bytearray(chance.randbytes(chance.randrange(40)))
        if said and chance.random() < 0.9:
            said[0] = chance.choice((0x30, 0x32, 0x34, 0x36, 0x37))
        if len(said) > 8 and chance.random() < 0.8:
            said[2:4] = (len(said) - 8).to_bytes(2, "big")
        try:
            found = read(bytes(said))
        except Malformed:
            continue
        assert len(found.payload) <= len(said) - 8
        assert found.qfi is None or 0 <= found.qfi < 64


def test_signalling_has_a_number_and_no_tunnel() -> None:
    assert echo_response(0xBEEF) == bytes.fromhex("320200060000 0000beef0000 0e00".replace(" ", ""))
    assert error_indication(0xDEAD, "192.0.2.1") == bytes.fromhex("321a001000000000" + "00000000") + (
        b"\x10" + struct.pack(">I", 0xDEAD) + b"\x85\x00\x04" + bytes((192, 0, 2, 1))
    )
    assert error_indication(1, "2001:db8::1")[17:20] == b"\x85\x00\x10"
    assert supported_extensions(3)[12:] == bytes((141, 1, 0x85))
    for said in (echo_response(1), error_indication(1, "192.0.2.1"), supported_extensions(1)):
        assert read(said).teid == 0
