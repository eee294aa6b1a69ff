"""The orchestrator as its OSS, its platform managers and others call it: Mm1, and granting on Mm3."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hanse.kit.contract.declare import Api
from hanse.refpoints.mm3.granting import Granting
from tests.contract.mm1_system import System, nothing_starts, orchestrating
from tests.contract.mp1_host import Reply
from tests.contract.statuses.certified import Callers, callers
from tests.contract.statuses.wish import Wish
from tests.contract.test_mm1 import OFF
from tests.contract.test_mm1_lifecycle import INSTANCES

ELEMENTS = ("oss", "mepm.harbour", "names.harbour")


@dataclass
class Mm1Place:
    """``package`` and ``descriptor`` are of a package that stays on-boarded, ``running`` is an instance of it."""

    system: System
    callers: Callers
    package: str = ""
    descriptor: str = ""
    running: str = ""
    operation: str = ""
    grant: str = ""
    grant_request: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, Wish] = field(default_factory=dict)

    async def example(self, api: type[Api], name: str) -> Wish:
        """A call that succeeds."""
        from tests.contract.statuses.mm1_examples import EXAMPLES

        values, body = await EXAMPLES[name](self)
        return self._wish(api, name, values, body)

    async def standing(self, api: type[Api], name: str) -> Wish:
        """The same call each time; it need not succeed once it is well-formed."""
        from tests.contract.statuses.mm1_examples import EXAMPLES, STANDING

        if name not in self.kept:
            values, body = await STANDING.get(name, EXAMPLES.get(name, _nothing))(self)
            self.kept[name] = self._wish(api, name, values, body)
        return self.kept[name]

    async def ask(self, wish: Wish) -> Reply:
        """The orchestrator's answer."""
        return await self.callers.ask(wish, "mepm.harbour" if wish.api is Granting else "oss")

    async def announced(self, archive: bytes | None = None) -> str:
        """The id of a package that was announced."""
        made = await self.system.announced(self.system.archive if archive is None else archive)
        return str(made.body["id"])

    async def on_boarded(self) -> tuple[str, str]:
        """The ids of a package of its own and of its descriptor."""
        archive = await self.system.pack()
        identifier = await self.announced(archive)
        here = f"/app_pkgm/v1/app_packages/{identifier}"
        assert (await self.system.upload(here, archive)).status == 202
        return identifier, str((await self.system.checked(here))["appDId"])

    async def disabled(self) -> tuple[str, str]:
        """The same of a package that may not be used."""
        identifier, descriptor = await self.on_boarded()
        await self.system.call("PATCH", f"/app_pkgm/v1/app_packages/{identifier}", OFF)
        return identifier, descriptor

    async def instance(self) -> str:
        """The id of an instance without resources."""
        made = await self.system.call("POST", INSTANCES, {"appDId": self.descriptor})
        return str(made.body["id"])

    async def started(self) -> tuple[str, str]:
        """The ids of an instance that runs and of the operation that made it."""
        identifier = await self.instance()
        with nothing_starts():
            accepted = await self.system.call("POST", f"{INSTANCES}/{identifier}/instantiate", {})
            await self._ask_for_grant(identifier)
        operation = await self.system.ended(accepted)
        assert operation["operationState"] == "COMPLETED", operation
        return identifier, str(operation["id"])

    async def _ask_for_grant(self, instance: str) -> None:
        """A grant can be had while an operation goes on, and is there ever after."""
        link = {"href": "https://127.0.0.1/"}
        self.grant_request = {
            "appInstanceId": instance,
            "appLcmOpOccId": f"occurrence of {instance}",
            "appDId": self.descriptor,
            "operation": "INSTANTIATE",
            "addResources": [{"id": "r", "type": "COMPUTE", "resourceTemplateId": ["vm"]}],
            "_links": {"appLcmOpOcc": link, "appInstance": link},
        }
        wish = Wish(Granting, Granting.operations["request_grant"], body=self.grant_request)
        reply = await self.ask(wish)
        assert reply.status == 201, reply
        self.grant = reply.headers["location"].rpartition("/")[2]

    def _wish(self, api: type[Api], name: str, values: dict[str, str], body: Any) -> Wish:
        wish = Wish(api, api.operations[name], values, body)
        return wish if api is Granting else wish.with_headers(hanse_tenant="acme")


async def _nothing(_place: Mm1Place) -> tuple[dict[str, str], Any]:
    return {}, None


@asynccontextmanager
async def mm1_place(directory: Path) -> AsyncIterator[Mm1Place]:
    """North, with a package and an instance that runs; and a strict orchestrator."""
    async with orchestrating(directory / "system") as system:
        identities = system.identities
        async with callers(system.base, identities, "meo", ELEMENTS, directory / "strict") as known:
            place = Mm1Place(system, known)
            place.package, place.descriptor = await place.on_boarded()
            async with asyncio.timeout(60):
                place.running, place.operation = await place.started()
            yield place


def announcement(archive: bytes) -> dict[str, Any]:
    """What a package with this archive is announced with."""
    digest = {"algorithm": "SHA-256", "hash": hashlib.sha256(archive).hexdigest()}
    return {"appPkgName": "speech", "appPkgVersion": "1.0", "checksum": digest, "appPkgPath": "speech.csar"}
