"""A certificate is renewed while its element runs, long before it ends, and what stands is not touched."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from hanse.assembly.renewal import Renewal
from hanse.kit.certificates import Authority, Identity, client_context, server_context

LIFE = timedelta(days=90)


class Clock:
    """A clock that a test moves on, from 70 days ago: what is issued on the way holds today, too."""

    def __init__(self) -> None:
        self.late = timedelta(0)

    def __call__(self) -> float:
        return time.time() - timedelta(days=70).total_seconds() + self.late.total_seconds()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authority(tmp_path: Path, clock: Clock) -> Authority:
    return Authority.ensure(tmp_path / "certificates", "north", clock=clock)


def issued(authority: Authority, directory: Path) -> Identity:
    return authority.issue("mep", addresses=("127.0.0.1",), uri="hanse://north/mep", lifetime=LIFE, directory=directory)


@asynccontextmanager
async def server(context: ssl.SSLContext) -> AsyncIterator[int]:
    """Echoes lines over TLS; its port."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    made = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=context)
    try:
        yield made.sockets[0].getsockname()[1]
    finally:
        made.close()


async def shown(port: int, authority: Authority) -> tuple[int, asyncio.StreamReader, asyncio.StreamWriter]:
    """The serial number that a new connection sees, and the connection."""
    trust = client_context([authority.certificate_path])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(der).serial_number, reader, writer


async def test_after_two_thirds_of_its_life_new_connections_see_a_new_certificate_and_old_ones_go_on(
    tmp_path: Path, authority: Authority, clock: Clock
) -> None:
    renewal = Renewal(LIFE)
    told: list[int] = []
    renewal.on_renewal(lambda: told.append(1))
    context = renewal.context(
        lambda: issued(authority, tmp_path), lambda identity: server_context(identity, require_client=None)
    )
    async with server(context) as port:
        first, reader, writer = await shown(port, authority)
        clock.late = LIFE * 0.6
        assert (await renewal.look(), told) == (0, []), "it is too early"
        clock.late = LIFE * 0.68
        assert (await renewal.look(), told) == (1, [1])
        assert await renewal.look() == 0, "once is enough"
        second, _, newer = await shown(port, authority)
        assert second != first
        writer.write(b"still here\n")
        assert await reader.readline() == b"still here\n"
        for connection in (writer, newer):
            connection.close()
            await connection.wait_closed()


async def test_what_another_process_renewed_is_shown_too(tmp_path: Path, authority: Authority, clock: Clock) -> None:
    here, elsewhere = Renewal(LIFE), Renewal(LIFE)
    for renewal in (here, elsewhere):
        renewal.context(lambda: issued(authority, tmp_path), lambda i: server_context(i, require_client=None))
    clock.late = LIFE * 0.7
    assert [await elsewhere.look(), await here.look()] == [1, 1]


async def test_a_renewal_that_fails_is_tried_again_and_keeps_no_other_back(
    tmp_path: Path, authority: Authority, clock: Clock
) -> None:
    renewal = Renewal(LIFE)
    spoilt, good = tmp_path / "spoilt", tmp_path / "good"
    for directory in (spoilt, good):
        renewal.context(
            lambda directory=directory: issued(authority, directory),  # type: ignore[misc]
            lambda identity: server_context(identity, require_client=None),
        )
    clock.late = LIFE * 0.7
    key = spoilt / "mep.key.pem"
    key.chmod(0o644)  # a key that others may read is not used
    assert await renewal.look() == 1
    key.chmod(0o600)
    assert await renewal.look() == 1


@pytest.mark.parametrize(("life", "period"), [(timedelta(days=90), 86_400), (timedelta(seconds=24), 2)])
def test_it_looks_daily_or_often_enough_for_a_short_life(life: timedelta, period: float) -> None:
    assert Renewal(life)._period == period


async def test_it_looks_by_itself_until_it_is_told_to_stop(tmp_path: Path, authority: Authority, clock: Clock) -> None:
    renewal = Renewal(timedelta(seconds=0.6))
    renewed = asyncio.Event()
    renewal.on_renewal(renewed.set)
    renewal.context(lambda: issued(authority, tmp_path), lambda i: server_context(i, require_client=None))
    await renewal.start_up()
    clock.late = LIFE * 0.7
    await asyncio.wait_for(renewed.wait(), 20)
    await renewal.shut_down()
