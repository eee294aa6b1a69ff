"""The whole of north in this process, as its OSS reaches the orchestrator: over TLS, with the OSS's own certificate."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hanse.assembly.deployment import Deployment, renumbered
from hanse.assembly.identities import Identities
from hanse.drivers.compute_process.driver import ProcessCompute
from hanse.kit.certificates import client_context
from hanse.model.package import build
from hanse.refpoints.mm7 import WorkloadStatus
from hanse.scenarios.stage import EXAMPLES
from tests.contract.mp1_host import Reply
from tests.contract.wired import deployed, listening, put_together, taken_apart

DESCRIPTOR = "b83c1d6e-70f2-4a95-9e48-d15a6c02f7b9"
"""The descriptor's id in the speech example."""


@dataclass
class System:
    """An orchestrator and a signed package of the speech example; ``pack`` makes one with another descriptor."""

    base: str
    session: aiohttp.ClientSession
    archive: bytes
    identities: Identities
    pack: Callable[[], Awaitable[bytes]]

    async def call(self, method: str, path: str, body: Any = None, *, tenant: str = "acme", **headers: str) -> Reply:
        """One request of the OSS for a tenant; a body in bytes goes as it is, any other as JSON."""
        sent = {"hanse-tenant": tenant} | {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("content-type", "application/json")
        url = path if path.startswith("https://") else self.base + path
        async with self.session.request(method, url, data=data, headers=sent) as response:
            raw = await response.read()
            lower = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status, lower, json.loads(raw) if "json" in lower.get("content-type", "") else raw)

    async def announced(self, archive: bytes | None = None, **change: Any) -> Reply:
        """A package that is announced with the checksum of an archive."""
        digest = hashlib.sha256(self.archive if archive is None else archive).hexdigest()
        wanted = {
            "appPkgName": "speech",
            "appPkgVersion": "1.0",
            "checksum": {"algorithm": "SHA-256", "hash": digest},
            "appPkgPath": "speech.csar",
        }
        return await self.call("POST", "/app_pkgm/v1/app_packages", wanted | change)

    async def upload(self, here: str, archive: bytes | None = None) -> Reply:
        """Upload content for a package."""
        content = self.archive if archive is None else archive
        return await self.call("PUT", f"{here}/package_content", content, content_type="application/zip")

    async def checked(self, here: str) -> dict[str, Any]:
        """The package once its content was checked."""
        return await self.settled(here, lambda info: info["onboardingState"] in ("ONBOARDED", "CREATED"))

    async def on_boarded(self) -> tuple[str, str]:
        """The URI of a package that is on-boarded, and its appDId."""
        here = (await self.announced()).headers["location"]
        assert (await self.upload(here)).status == 202
        info = await self.checked(here)
        assert info["onboardingState"] == "ONBOARDED", info
        return here, info["appDId"]

    async def removed(self, here: str) -> None:
        """Take an on-boarded package away again."""
        await self.call("PATCH", here, {"operationalState": "DISABLED"})
        assert (await self.call("DELETE", here)).status == 204

    async def ended(self, accepted: Reply) -> dict[str, Any]:
        """An operation once it has ended."""
        here = accepted.headers["location"]
        return await self.settled(here, lambda operation: operation["operationState"] in ("COMPLETED", "FAILED"))

    async def settled(self, here: str, when: Any) -> dict[str, Any]:
        """A resource once it is as wanted; fails after 30 seconds."""
        async with asyncio.timeout(30):
            while True:
                body: dict[str, Any] = (await self.call("GET", here)).body
                if when(body):
                    return body
                await asyncio.sleep(0.05)


@asynccontextmanager
async def orchestrating(directory: Path) -> AsyncIterator[System]:
    """North, running, on addresses of its own; nothing of it is left afterwards."""
    with deployed(directory) as deployment:

        async def pack() -> bytes:
            return (await asyncio.to_thread(_package, deployment, directory, str(uuid.uuid4()))).read_bytes()

        archive = (await asyncio.to_thread(_package, deployment, directory)).read_bytes()
        built = put_together(deployment, ["all"])
        wiring, bound = built.wiring, listening(built)
        for listener in bound.values():
            await listener.start()
        await wiring.start()
        identities = wiring.identities
        context = client_context([identities.authority_path], identities.of_element(wiring.elements["oss"]))
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))
        try:
            yield System(wiring.elements["meo"].url, session, archive, identities, pack)
        finally:
            await session.close()
            try:
                await taken_apart(built, bound)
            finally:
                await asyncio.to_thread(deployment.stop)


@contextmanager
def nothing_starts() -> Iterator[None]:
    """Hold up every start of a workload until left, so that an operation goes on, however fast the machine is."""
    start, left = ProcessCompute.start, asyncio.Event()

    async def held_up(self: ProcessCompute, instance_id: str) -> WorkloadStatus:
        await left.wait()
        return await start(self, instance_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ProcessCompute, "start", held_up)
        try:
            yield
        finally:
            left.set()


def _package(deployment: Deployment, directory: Path, descriptor: str = DESCRIPTOR) -> Path:
    source, signer = directory / descriptor, deployment.signer("earshot")
    shutil.copytree(EXAMPLES / "speech", source)
    networks = {"127.10.": deployment.settings("north").operator.address.removesuffix("0.1")}
    for definition in (source / "Definitions").glob("*.yaml"):
        definition.write_text(renumbered(definition.read_text(), networks).replace(DESCRIPTOR, descriptor))
    return build(source, directory / f"{descriptor}.csar", certificate=signer.certificate_path, key=signer.key_path)
