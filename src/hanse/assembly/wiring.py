"""Wiring: puts the chosen elements of one operator together in this process.

What an element requires is looked up when it is first used: the provider itself, behind its gate, if it is in this
process; a client of it otherwise. The element cannot tell.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from hanse.assembly.authentication import element_caller
from hanse.assembly.catalogue import Element, elements
from hanse.assembly.forgetting import Forgetting
from hanse.assembly.identities import Identities
from hanse.assembly.log_file import LogFile
from hanse.assembly.renewal import Renewal
from hanse.assembly.settings import Settings
from hanse.kit.certificates import client_context
from hanse.kit.contract.client import Peer, client
from hanse.kit.contract.declare import Api
from hanse.kit.contract.direct import direct
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.guard import Guard
from hanse.kit.contract.observe import Observer
from hanse.kit.contract.serve import ApiServer
from hanse.kit.contract.transport import HttpTransport
from hanse.kit.outbox import NEVER, Outbox
from hanse.kit.procedures import DurableProcedures
from hanse.kit.store import Store
from hanse.refpoints.table import REFERENCE_POINTS

A = TypeVar("A", bound=Api)


class Part(Protocol):
    """An element as the wiring sees it."""

    def apis(self) -> dict[type[Api], Api]:
        """Which part of it provides which API."""


Hook = Callable[[], Awaitable[None]]


class Wiring:
    """One process of one operator: its elements, their stores, and the ways between them."""

    def __init__(self, settings: Settings, chosen: list[Element], observer: Observer) -> None:
        self.settings = settings
        self.operator = settings.operator.name
        self.elements = elements(settings)
        self.chosen = chosen
        self.observer = observer
        self.guard = Guard(REFERENCE_POINTS)
        self.identities = Identities(settings)
        self.renewal = Renewal(self.identities.lifetime)
        log = LogFile(self.directory / "log" / f"{process_name(chosen)}.log", settings.retention.log_bytes)
        self.forgetting = Forgetting(log)
        self.procedures = DurableProcedures(self.directory / f"procedures-{chosen[0].name}.sqlite", chosen[0].name)
        self.starts: list[Hook] = []
        self.stops: list[Hook] = []
        self._providers: dict[str, dict[type[Api], Api]] = {}
        self._transports: dict[tuple[str, str], HttpTransport] = {}
        self._stores: list[tuple[Store, Outbox | None]] = []

    @property
    def directory(self) -> Path:
        """The operator's state directory."""
        return self.settings.directory

    def store(self, element: Element) -> Store:
        """An element's own store."""
        store = Store(self.directory / f"{element.name}.sqlite")
        self._stores.append((store, None))
        return store

    def outbox(self, store: Store) -> Outbox:
        """The outbox of a store, which also begins its procedures."""
        outbox = Outbox(store)
        outbox.handle("procedure", self.procedures.launch, give_up_after=NEVER)
        self._stores = [(s, outbox if s is store else o) for s, o in self._stores]
        return outbox

    def provide(self, element: Element, apis: dict[type[Api], Api]) -> None:
        """Make an element of this process known to the others."""
        self._providers[element.name] = apis

    def gate(self, element: Element) -> Gate:
        """The gate of an element."""
        return Gate(element.role, element.name, self.operator, self.guard, self.observer)

    def serve(self, element: Element, server: ApiServer) -> None:
        """Mount all that an element provides."""
        gate = self.gate(element)
        for api, provider in self._providers[element.name].items():
            server.mount(provider, gate, [api])

    def require(self, api: type[A], provider: str, consumer: Element) -> A:
        """``provider`` as ``consumer`` may use it, found when it is first called."""
        return lazily(api, lambda: self._resolve(api, self.elements[provider], consumer))

    def _resolve(self, api: type[A], provider: Element, consumer: Element) -> A:
        caller = element_caller(self.operator, consumer.name)
        here = self._providers.get(provider.name)
        if here is not None:
            return direct(api, cast(A, here[api]), self.gate(provider), caller)
        users = (self.guard.users(api, provider.role, name) for name in api.operations)
        point = next((points[consumer.role] for points in users if consumer.role in points), "")
        transport = self._transport(provider, consumer)
        return client(api, Peer(provider.name, transport, caller, point, self.observer))

    def _transport(self, provider: Element, consumer: Element) -> HttpTransport:
        key = (provider.name, consumer.name)
        if key not in self._transports:
            context = self.renewal.context(
                lambda: self.identities.of_element(consumer),
                lambda identity: client_context([self.identities.authority_path], identity),
            )
            self._transports[key] = HttpTransport(provider.url, context, name=provider.name)
        return self._transports[key]

    def partner_context(self, name: str) -> ssl.SSLContext:
        """TLS towards a partner: its authority is trusted for its own border, and for nothing else."""
        trust = self.settings.file(self.settings.partners[name].trust)
        return self.renewal.context(self.identities.of_operator, lambda identity: client_context([trust], identity))

    async def start(self) -> None:
        """Start what was put together: elements in order, then what they left unfinished: procedures, events."""
        for start in self.starts:
            await start()
        await self.renewal.start_up()
        if any(element.role in ("meo", "mepm") for element in self.chosen):
            await self.procedures.start()
            self.forgetting.add(self.settings.retention.procedures_seconds, self._forget_procedures)
            self.stops.append(self.procedures.close)
        for _, outbox in self._stores:
            if outbox is not None:
                await outbox.start()
        await self.forgetting.start_up()

    async def _forget_procedures(self, before: float) -> int:
        outboxes = [outbox for _, outbox in self._stores if outbox is not None]
        return await self.procedures.forget_ended(before, outboxes)

    async def stop(self) -> None:
        """Stop in reverse; what is not finished waits on disk."""
        await self.forgetting.shut_down()
        await self.renewal.shut_down()
        for _, outbox in self._stores:
            if outbox is not None:
                await outbox.close()
        for stop in reversed(self.stops):
            await stop()
        for transport in self._transports.values():
            await transport.close()
        for store, _ in self._stores:
            await asyncio.to_thread(store.close)


def process_name(chosen: list[Element]) -> str:
    """What a process with these elements is called: by its one element, or ``all``."""
    return "all" if len(chosen) > 1 else chosen[0].name


def lazily(api: type[A], find: Callable[[], A]) -> A:
    """A provider of ``api`` that is found when it is first called: elements may need each other."""
    found: list[A] = []

    def method(name: str) -> Callable[..., Awaitable[Any]]:
        def call(_self: object, *values: Any, **named: Any) -> Awaitable[Any]:
            if not found:
                found.append(find())
            return cast(Awaitable[Any], getattr(found[0], name)(*values, **named))

        return call

    return cast(A, type(f"Required{api.__name__}", (), {name: method(name) for name in api.operations})())
