"""The host of a sandbox: a real platform, data plane and name server, served to apps under their paths."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType

from hanse.assembly.builders import Built, build
from hanse.assembly.catalogue import Element, chosen
from hanse.assembly.sandbox.alone import AloneManager
from hanse.assembly.sandbox.descriptions import DESCRIPTION, Index, IndexEntry, Page, Ways, by_base, document
from hanse.assembly.sandbox.farewell import say_farewell
from hanse.assembly.sandbox.guard import SandboxGuard
from hanse.assembly.sandbox.options import HOST, Options
from hanse.assembly.sandbox.planting import Planter
from hanse.assembly.sandbox.tokens import SandboxAuthenticator
from hanse.assembly.servers import app_tokens
from hanse.assembly.token_endpoint import TOKEN_PATH
from hanse.assembly.wiring import Wiring
from hanse.elements.mep import Platform
from hanse.kit.certificates import server_context
from hanse.kit.contract.cross_origin import CrossOrigin
from hanse.kit.contract.declare import Api
from hanse.kit.contract.listen import Listener
from hanse.kit.contract.serve import ApiServer
from hanse.kit.ports import listen_on
from hanse.kit.telemetry.journal import Journal
from hanse.refpoints.mm5.platform import AppAccess, ManagerLookup
from hanse.refpoints.mp1 import Mp1
from hanse.refpoints.table import REFERENCE_POINTS

PLATFORM = f"mep.{HOST}"
PARTS = [PLATFORM, f"data_plane.{HOST}", f"names.{HOST}", "federation_manager"]


@dataclass(frozen=True)
class PrefixedPlatform(Element):
    """A platform that apps find at another URL than that of its socket."""

    base: str = ""

    @property
    def url(self) -> str:
        """Where apps find it."""
        return self.base


class Sandbox:
    """``async with Sandbox(options)``: inside, everything of the seed is there and can be read."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.access: dict[str, AppAccess] = {}
        self._settings = options.settings()
        self._listener: Listener | None = None

    async def __aenter__(self) -> Sandbox:
        self._sock = listen_on(self.options.address, self.options.port)
        self._journal = Journal(self._settings.directory / "journal", "sandbox")
        try:
            self._wiring = await asyncio.to_thread(self._wired)
            self._built = build(self._wiring)
            await self._wiring.start()
            self.access = await Planter(self.platform).plant(self.options.seed)
            self._listener = self._listening(self._built)
            await self._listener.start()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await say_farewell(self.platform, self.access, self.options.grace)
        finally:
            await self._close()

    @property
    def platform(self) -> Platform:
        """The platform of the host."""
        part = self._built.part(PLATFORM)
        assert isinstance(part, Platform)
        return part

    @property
    def authority(self) -> str:
        """The file with the certificate by which clients know the sandbox."""
        return str(self._wiring.identities.authority_path)

    def _wired(self) -> Wiring:
        found = chosen(self._settings, PARTS)
        wiring = Wiring(self._settings, found, self._journal)
        wiring.guard = SandboxGuard(REFERENCE_POINTS, lambda instance: instance in self.platform.records.apps)
        old = wiring.elements[PLATFORM]
        prefixed = PrefixedPlatform(old.name, old.role, old.host, old.address, old.port, self.options.base)
        wiring.elements[PLATFORM] = prefixed
        wiring.chosen = [prefixed if element.name == PLATFORM else element for element in found]
        wiring.provide(wiring.elements[f"mepm.{HOST}"], {ManagerLookup: AloneManager()})
        return wiring

    def _listening(self, built: Built) -> Listener:
        limits = self._settings.limits
        authenticator = SandboxAuthenticator(self.platform.access, self.options.seed, self.options.origins)
        server = ApiServer(authenticator, page_size=limits.page_size, limit=limits.rate())
        gate = built.wiring.gate(built.wiring.elements[PLATFORM])
        provided = self.platform.apis()
        apis = list(dict.fromkeys(offer.api for offer in Mp1.offers if "app" in offer.users))
        tokens = app_tokens(self.platform, gate)
        server.mount_raw(self.options.prefix + TOKEN_PATH, tokens)
        built.wiring.stops.append(tokens.close)
        for api in apis:
            server.mount(provided[api], gate, [api], self.options.prefix)
        self._describe(server, apis)
        context = None
        if not self.options.plain:
            wiring = built.wiring
            names = ("localhost",) if self.options.on_loopback else ()
            context = wiring.renewal.context(
                lambda: wiring.identities.of_names(f"apps.{HOST}", names, self.options.address),
                lambda identity: server_context(identity, require_client=None, standard=True),
            )
        origins = self.options.origins
        return Listener(CrossOrigin(server, origins) if origins else server, self._sock, context)

    def _describe(self, server: ApiServer, apis: list[type[Api]]) -> None:
        root, prefix = self.options.base, self.options.prefix
        ways = Ways.of(self.options.seed, root + TOKEN_PATH)
        entries = []
        for base, below in by_base(apis).items():
            described = f"{base}/{DESCRIPTION}"
            server.mount_raw(prefix + described, Page(document(below, root + base, ways)))
            names = tuple(api.__name__ for api in below)
            entries.append(IndexEntry(base=root + base, apis=names, description=root + described))
        index = Page(Index(apis=tuple(entries), token_endpoint=root + TOKEN_PATH))
        for path in (prefix, f"{prefix}/"):
            server.mount_raw(path, index)

    async def _close(self) -> None:
        if self._listener is not None:
            await self._listener.close()
        else:
            self._sock.close()
        if hasattr(self, "_wiring"):
            await self._wiring.stop()
        await asyncio.to_thread(self._journal.close)
