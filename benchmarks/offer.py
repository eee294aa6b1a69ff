"""The speech example at south, and how an application at north finds it."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from hanse.assembly.administration import administration
from hanse.assembly.onboarding import bring_up
from hanse.kit.problems import Problem
from hanse.scenarios.stage import Stage

SERVICE = "speech-recognition"
PATIENCE = 20.0


async def speech_at_south(stage: Stage) -> str:
    """Start both operators and the application; its own URL, as the host's data plane would reach it."""
    await stage.start()
    south = stage.operator("south")
    archive = await asyncio.to_thread(stage.package, "speech", "earshot")
    package = await stage.on_board("south", archive)
    async with administration(south) as oss:
        await bring_up(oss.lifecycle, package[1], next(iter(south.hosts.values())).zone.zone().position)
    return await asyncio.to_thread(address_of_app, stage)


def address_of_app(stage: Stage) -> str:
    """Where the only application listens: by the environment of its process."""
    for pid in stage.workloads():
        words = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
        variables = dict(word.partition("=")[::2] for word in words)
        if "MEC_APP_ADDRESS" in variables:
            return f"http://{variables['MEC_APP_ADDRESS']}:{variables['MEC_APP_PORT']}"
    raise Problem(500, "The speech application does not run", "its process shows no MEC_APP_ADDRESS")


def lookup(platform: str, token: str, authority: Path) -> str:
    """The URI under which an app at north consumes the service, once the federation knows it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = _found(platform, token, authority)
        if found:
            return str(found[0]["transportInfo"]["endpoint"]["uris"][0])
        time.sleep(0.2)
    raise Problem(504, "The federation does not find the service", f"{SERVICE} was asked for during {PATIENCE:.0f} s")


def _found(platform: str, token: str, authority: Path) -> list[dict[str, dict[str, dict[str, list[str]]]]]:
    target = urlsplit(platform)
    context = ssl.create_default_context(cafile=str(authority))
    connection = HTTPSConnection(target.hostname or "", target.port, context=context, timeout=10)
    try:
        headers = {"authorization": f"Bearer {token}"}
        connection.request("GET", f"/mec_service_mgmt/v1/services?ser_name={SERVICE}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    return json.loads(body) if answer.status == 200 else []
