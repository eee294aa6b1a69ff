"""Operators whose certificates end every few seconds go on as if nothing were: the tale of years, in 20 seconds."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509

from hanse.assembly.authentication import element_caller
from hanse.assembly.catalogue import elements
from hanse.assembly.deployment import Deployment
from hanse.assembly.identities import Identities
from hanse.assembly.settings import Settings
from hanse.assembly.spawning import spawn
from hanse.kit.certificates import client_context
from hanse.kit.contract.client import Peer, client
from hanse.kit.contract.observe import Silence
from hanse.kit.contract.transport import HttpTransport
from hanse.refpoints.mfm_fed.members import Membership, Partner, PartnerState
from hanse.scenarios.stage import Stage
from tests.bounds import SOON
from tests.faults.stages import until

LIFE = 18.0
"""Seconds that a certificate lives here; it is renewed after 12, and a busy machine has 6 to do it."""
PARTS = ("federation_manager", "border")

pytestmark = [pytest.mark.timeout(180), pytest.mark.slow]


@asynccontextmanager
async def shortly_certified(directory: Path) -> AsyncIterator[Stage]:
    """The managers and borders of two operators, four processes, with certificates that live for ``LIFE`` seconds."""
    stage = Stage(directory)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for name in ("north", "south"):
            file = directory / f"{name}.toml"
            file.write_text(f"{file.read_text()}\n[certificates]\ndays = {LIFE / 86_400}\n")
        stage.deployment = Deployment(directory / "deployment.toml")
        await asyncio.to_thread(stage.deployment.prepare)
        for name in ("north", "south"):
            settings = stage.operator(name)
            started = [(settings, part, spawn(settings, part)) for part in PARTS]
            processes += [process for _, _, process in started]
            await asyncio.to_thread(stage.deployment.await_operator, started)
        yield stage
    finally:
        for process in processes:
            process.kill()
            process.wait()
        await asyncio.to_thread(stage.clear)


async def partner_of(settings: Settings) -> Partner:
    """How it stands with the partner, as the border asks its manager, on a new connection."""
    known, identities = elements(settings), Identities(settings)
    context = client_context([identities.authority_path], identities.of_element(known["border"]))
    transport = HttpTransport(known["federation_manager"].url, context)
    try:
        caller = element_caller(settings.operator.name, "border")
        peer = Peer("federation_manager", transport, caller, "", Silence())
        return (await client(Membership, peer).list_partners())[0]
    finally:
        await transport.close()


async def available(settings: Settings) -> bool:
    return (await partner_of(settings)).state is PartnerState.AVAILABLE


class Held:
    """A connection to an operator's border that stays open, and the certificate that it saw."""

    def __init__(self, own: Settings, other: Settings) -> None:
        self._context = client_context([Identities(other).authority_path], Identities(own).of_operator())
        self._address = (other.federation.address, other.federation.port)

    async def open(self) -> x509.Certificate:
        self.reader, self.writer = await asyncio.open_connection(*self._address, ssl=self._context)
        der = self.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(der)

    async def answers(self) -> bytes:
        """The first line of an answer to a request without a token."""
        self.writer.write(b"GET /mff_fed/v1/systems HTTP/1.1\r\nhost: border\r\ncontent-length: 0\r\n\r\n")
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), SOON)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await self.reader.readexactly(length)
        return head.split(b"\r\n")[0]

    def close(self) -> None:
        self.writer.close()


async def test_partners_stay_partners_over_renewals_and_no_connection_is_cut(tmp_path: Path) -> None:
    async with shortly_certified(tmp_path) as stage:
        north, south = stage.operator("north"), stage.operator("south")
        for settings in (north, south):
            assert await until(lambda settings=settings: available(settings), 30)  # type: ignore[misc]
        since = [(await partner_of(settings)).since for settings in (north, south)]
        held = Held(north, south)
        seen = {(await held.open()).serial_number}
        began = time.monotonic()
        while time.monotonic() < began + LIFE + 1.0:  # by then nothing of the start holds any more
            await asyncio.sleep(1.0)
            assert await held.answers() == b"HTTP/1.1 401 Unauthorized", "the connection of the first day still stands"
            fresh = Held(north, south)
            certificate = await fresh.open()
            seen.add(certificate.serial_number)
            fresh.close()
            for settings in (north, south):
                assert await available(settings), (await partner_of(settings)).detail
        assert len(seen) > 1
        assert [(await partner_of(settings)).since for settings in (north, south)] == since, "no moment of failure"
        held.close()
