"""``hanse client rotate`` on an operator that runs: whoever holds a copy of the former key is out at once."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import aiohttp

from hanse.assembly.catalogue import elements
from hanse.assembly.identities import Identities
from hanse.assembly.settings import Settings
from hanse.kit.certificates import Identity, client_context
from hanse.scenarios.stage import Stage
from tests.unit.cli.running import Command


async def status(settings: Settings, identity: Identity) -> int:
    """The status of a call that the holder of a key makes at the operator's OSS."""
    context = client_context([Identities(settings).authority_path], identity)
    url = f"{elements(settings)['oss'].url}/app_lcm/v1/app_instances"
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector) as session, session.get(url) as answer:
        return answer.status


def test_a_stolen_key_is_refused_from_then_on_and_the_administrator_works_on(
    running: Command, stage: Stage, tmp_path: Path
) -> None:
    settings = stage.operator("north")
    own = Identities(settings).issue("administrator")
    stolen = Identity(certificate_path=tmp_path / "cert.pem", key_path=tmp_path / "key.pem")
    shutil.copy2(own.certificate_path, stolen.certificate_path)
    shutil.copy2(own.key_path, stolen.key_path)
    assert asyncio.run(status(settings, stolen)) == 200

    result = running("client", "rotate", "administrator", "--operator", "north")

    assert (result.code, str(own.certificate_path) in result.out) == (0, True)
    assert asyncio.run(status(settings, stolen)) == 401
    assert running("app", "list", "--operator", "north", "--json").last == {"instances": []}


def test_whom_it_does_not_know_it_says(running: Command) -> None:
    result = running("client", "rotate", "mepm.harbour", "--operator", "north")
    assert result.code == 1
    assert "customer.TENANT" in result.err
