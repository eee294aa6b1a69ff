"""A tunnel end among strangers: what is unknown, forged or broken stops nobody else, and is answered by the book."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import struct

import pytest

from hanse.drivers.dataplane_nftables.gtp.supervisor import left
from tests.bounds import SOON
from tests.contract.air import (
    ECHO_REQUEST,
    ECHO_RESPONSE,
    ERROR_INDICATION,
    SESSION,
    SUPPORTED_EXTENSIONS,
    BaseStation,
    End,
    udp4,
    wrapped,
)
from tests.contract.grounds import PORT, Run, echo
from tests.contract.radio import Radio, counters, said, said_to, to_app, tunnels_counted

MEGABYTE = random.Random(5).randbytes(1_000_000)


async def test_a_tunnel_that_is_unknown_is_reported_to_the_base_station(radio: Radio) -> None:
    mast = End(radio, radio.mast, 40000)
    mast.send(0xDEAD, udp4(radio.ue, radio.virtual, 1, PORT, b"lost"))
    told = End(radio, radio.mast)  # it is told at the port of GTP-U, whatever port it sent from (4.4.2)
    mast.send(0xDEAD, udp4(radio.ue, radio.virtual, 1, PORT, b"lost"))
    answer = await told.hear()
    assert (answer.kind, answer.teid) == (ERROR_INDICATION, 0)
    assert answer.said == struct.pack(">BIBH", 16, 0xDEAD, 133, 4) + socket.inet_aton(radio.plane_end)
    await tunnels_counted(radio, unknown_teid=2)


async def test_a_base_station_that_asks_whether_the_end_lives_is_answered(radio: Radio) -> None:
    mast = End(radio, radio.mast, 40001)
    mast.sock.sendto(wrapped(0, struct.pack(">HBB", 0x1234, 0, 0), ECHO_REQUEST, 0x32), mast.to)
    answer = await mast.hear()
    assert (answer.kind, answer.teid, answer.sequence, answer.said) == (ECHO_RESPONSE, 0, 0x1234, b"\x0e\x00")
    assert answer.sender == (radio.plane_end, 2152)


async def test_an_extension_that_must_be_understood_and_is_not_stops_the_packet(radio: Radio) -> None:
    mast = End(radio, radio.mast)
    await radio.plane.install("r", to_app(radio, protocol=("udp",)))
    app = radio.socket(radio.app, PORT, socket.SOCK_DGRAM)
    packet = udp4(radio.ue, radio.virtual, 1, PORT, b"strange")
    strange = b"\0\0\0\xc0" + b"\x01\x00\x07\x00"
    mast.sock.sendto(wrapped(radio.usual.teid_up, strange + packet, flags=0x34), mast.to)
    answer = await mast.hear()
    assert (answer.kind, answer.said) == (SUPPORTED_EXTENSIONS, bytes((141, 1, SESSION)))
    allowed = b"\0\0\0\x40" + b"\x01\x08\x68\x00"  # the UDP port of the sender: whoever does not know it passes over it
    mast.sock.sendto(wrapped(radio.usual.teid_up, allowed + packet, flags=0x34), mast.to)
    assert await said(app) == b"strange"
    with pytest.raises(BlockingIOError):
        app.recv(100)


async def test_nobody_speaks_in_the_name_of_another_device_or_base_station(radio: Radio) -> None:
    await radio.plane.install("r", to_app(radio, protocol=("udp",)))
    app = radio.socket(radio.app, PORT, socket.SOCK_DGRAM)
    End(radio, radio.mast).send(radio.usual.teid_up, udp4(radio.other_ue, radio.virtual, 1, PORT, b"stolen name"))
    End(radio, radio.other_mast).send(radio.usual.teid_up, udp4(radio.ue, radio.virtual, 1, PORT, b"stolen tunnel"))
    End(radio, radio.mast, 40002).send(radio.usual.teid_up, udp4(radio.ue, radio.virtual, 1, PORT, b"mine"))
    assert await said(app) == b"mine"
    await tunnels_counted(radio, foreign=2)


async def test_a_plain_device_cannot_put_packets_into_tunnels(radio: Radio) -> None:
    """Neither from another access network, nor from within a tunnel."""
    await radio.plane.install("r", to_app(radio, protocol=("udp",)))
    app = radio.socket(radio.app, PORT, socket.SOCK_DGRAM)
    packet = udp4(radio.ue, radio.virtual, 1, PORT, b"forged")
    stranger = End(radio, radio.device)
    stranger.send(radio.usual.teid_up, packet)
    within = wrapped(radio.usual.teid_up, packet)
    mast = End(radio, radio.mast)
    mast.send(radio.usual.teid_up, udp4(radio.ue, radio.plane_end, 2152, 2152, within))
    mast.send(radio.usual.teid_up, udp4(radio.ue, radio.virtual, 1, PORT, b"mine"))
    assert await said(app) == b"mine"
    await tunnels_counted(radio, up=2)


async def test_garbage_does_not_stop_the_end(radio: Radio) -> None:
    mast, chance = End(radio, radio.mast), random.Random(9)
    for n in range(300):
        said = bytearray(wrapped(radio.usual.teid_up, chance.randbytes(n % 60), chance.choice((255, 1, 26, 254, 99))))
        said[0] = chance.choice((0x30, 0x32, 0x34, 0x37, 0x10, 0x50, chance.randrange(256)))
        said[2:4] = chance.choice((bytes(said[2:4]), chance.randbytes(2)))
        mast.sock.sendto(said[: chance.choice((len(said), n % 20))], mast.to)
    mast.sock.sendto(wrapped(0, struct.pack(">HBB", 77, 0, 0), ECHO_REQUEST, 0x32), mast.to)
    async with asyncio.timeout(SOON):
        while (await mast.hear()).sequence != 77:
            pass


async def test_an_end_that_is_killed_is_there_again_and_no_byte_of_a_transfer_is_lost(
    radio: Radio, mast: BaseStation, serve_radio: Run
) -> None:
    await serve_radio(echo)
    await radio.plane.install("r", to_app(radio))
    carried, before = mast.choose, list[int]()

    def killing(packet: bytes) -> bytes:
        """In the middle of the transfer, however fast it is."""
        if len(mast.down) >= 50 and not before:
            before.extend(left(radio.site.plane_space))
            os.kill(before[0], signal.SIGKILL)
        return carried(packet)

    mast.choose = killing
    assert await said_to(radio, MEGABYTE, patience=3 * SOON) == MEGABYTE  # TCP waits ever longer before it tries again
    [after] = left(radio.site.plane_space)
    assert [after] != before != []
    assert (await counters(radio)).flows == 1
