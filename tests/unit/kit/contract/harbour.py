"""A made-up API with one operation of every kind, its provider, and the ways to reach it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hanse.kit.contract.call import Call, Caller, current_call, require_match
from hanse.kit.contract.client import Peer, client
from hanse.kit.contract.declare import (
    Accepted,
    Api,
    Created,
    Page,
    Stream,
    Tagged,
    anything,
    delete,
    get,
    post,
    put,
)
from hanse.kit.contract.direct import direct
from hanse.kit.contract.exchange import Exchange, whole
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.guard import Guard
from hanse.kit.contract.listen import Listener
from hanse.kit.contract.observe import Message
from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.kit.contract.serve import ApiServer, Authenticator
from hanse.kit.contract.transport import HttpTransport, MemoryTransport
from hanse.kit.ports import listen_on
from hanse.kit.problems import conflict, not_found, unauthorized
from hanse.kit.values import ABSENT, Absent, Value


class Rig(StrEnum):
    COG = "COG"
    HULK = "HULK"


class Ship(Value):
    name: str
    rig: Rig = Rig.COG
    crew: int = 0
    home_port: str | Absent = ABSENT
    cargo: tuple[str, ...] = ()
    papers: Any = None


class ShipQuery(Value):
    rig: Rig | Absent = ABSENT
    name: tuple[str, ...] = ()
    crew: int | Absent = ABSENT
    all: bool = False
    after: str = ""


class Harbour(Api, bases=("/harbour/v1", "/harbour/v2")):
    @get("/ships")
    async def find(self, query: ShipQuery) -> Page[Ship]: ...

    @post("/ships")
    async def enter(self, ship: Ship) -> Created[Ship]: ...

    @get("/ships/{name}")
    async def look(self, name: str) -> Tagged[Ship]: ...

    @put("/ships/{name}")
    async def refit(self, name: str, ship: Ship) -> Tagged[Ship]: ...

    @delete("/ships/{name}")
    async def leave(self, name: str) -> None: ...

    @post("/ships/{name}/repair", success=202)
    async def repair(self, name: str) -> Accepted: ...

    @put("/ships/{name}/hold", success=202, consumes="application/zip")
    async def load(self, name: str, cargo: Stream) -> Accepted: ...

    @get("/ships/{name}/hold")
    async def unload(self, name: str) -> Stream: ...

    @get("/captains/{name}/log")
    async def log(self, name: str) -> str: ...

    @get("/fail/{how}")
    async def fail(self, how: str) -> Ship: ...

    @anything("/pilots/{name}/{rest*}")
    async def pass_on(self, name: str, rest: str, exchange: Exchange) -> Stream: ...


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


class Quay(Harbour):
    """The provider: ships in a dictionary, holds as bytes, and every way to fail."""

    def __init__(self) -> None:
        self.ships: dict[str, Ship] = {}
        self.holds: dict[str, bytes] = {}
        self.calls: list[Call] = []

    async def find(self, query: ShipQuery) -> Page[Ship]:
        found = [s for s in self.ships.values() if query.rig in (ABSENT, s.rig) and s.name > query.after]
        found = [s for s in found if not query.name or s.name in query.name]
        return Page(found[:2], f"after={found[1].name}" if len(found) > 2 else "")

    async def enter(self, ship: Ship) -> Created[Ship]:
        self.calls.append(current_call())
        if ship.name in self.ships:
            raise conflict("Berth taken", f"{ship.name} is here already")
        self.ships[ship.name] = ship
        return Created(ship, f"/ships/{ship.name}")

    async def look(self, name: str) -> Tagged[Ship]:
        ship = self._ship(name)
        return Tagged(ship, f"{ship.crew}")

    async def refit(self, name: str, ship: Ship) -> Tagged[Ship]:
        require_match(f"{self._ship(name).crew}")
        self.ships[name] = ship
        return Tagged(ship, f"{ship.crew}")

    async def leave(self, name: str) -> None:
        self._ship(name)
        del self.ships[name]

    async def repair(self, name: str) -> Accepted:
        return Accepted(f"/ships/{self._ship(name).name}")

    async def load(self, name: str, cargo: Stream) -> Accepted:
        self.holds[name] = await whole(cargo.chunks, 64 * 1024 * 1024)
        return Accepted()

    async def unload(self, name: str) -> Stream:
        if name == "leaking":
            return Stream(self._leak())
        hold = self.holds[name]
        return Stream(pieces(hold[:1000], hold[1000:]), "application/zip", len(hold), headers=(("etag", "lead"),))

    async def _leak(self) -> AsyncIterator[bytes]:
        yield b"half of"
        raise RuntimeError("the hold leaks")

    async def log(self, name: str) -> str:
        self.calls.append(current_call())
        return name

    async def fail(self, how: str) -> Ship:
        if how == "slow":
            await asyncio.sleep(30)
        if how == "nothing":
            return None  # type: ignore[return-value]
        if how == "surrogate":
            return Ship(name="\ud800")
        raise {"key": KeyError("secret"), "recursion": RecursionError("secret"), "os": OSError("secret")}[how]

    async def pass_on(self, name: str, rest: str, exchange: Exchange) -> Stream:
        body = await whole(exchange.body, 64 * 1024 * 1024)
        seen = f"{exchange.method} {rest} {exchange.query} {len(body)} {hashlib.sha256(body).hexdigest()}"
        extra = tuple((n, v) for n, v in sorted(exchange.headers.items()) if n in ("vary", "x-flag"))
        return Stream(pieces(seen.encode(), b"", b"\n", body), "image/png", None, 418, extra)

    def _ship(self, name: str) -> Ship:
        if name not in self.ships:
            raise not_found("ship", name)
        return self.ships[name]


SEA = ReferencePoint(
    name="Sea",
    joins="ship – harbour",
    clause="none",
    offers=(
        Offer(Harbour, provider="quay", users=("pilot",)),
        Offer(Harbour, provider="quay", users=("app",), only=("log",), own={"app": "name"}),
    ),
)


@dataclass
class Watch:
    """An observer that keeps what it saw."""

    messages: list[Message] = field(default_factory=list)

    def saw(self, message: Message) -> None:
        self.messages.append(message)


PILOT = Caller(role="pilot", name="pilot.1", operator="north", subject="tenant-1")
APP = Caller(role="app", name="app.anna", operator="north", subject="anna")
CALLERS = {b"pilot": PILOT, b"app": APP, b"thief": Caller(role="thief", name="thief", operator="south")}


def by_header(scope: Any, headers: dict[bytes, bytes]) -> Caller:
    """Believes a header: what the elements' authenticators do better is not the matter here."""
    caller = CALLERS.get(headers.get(b"authorization", b""))
    if caller is None:
        raise unauthorized("show a letter of marque")
    return caller


@dataclass
class Port:
    """A quay behind its gate and server, with what its observer saw."""

    quay: Quay = field(default_factory=Quay)
    watch: Watch = field(default_factory=Watch)
    border: bool = False
    authenticate: Authenticator = by_header

    def __post_init__(self) -> None:
        self.gate = Gate("quay", "quay.1", "north", Guard([SEA]), self.watch)
        self.server = ApiServer(self.authenticate, border=self.border)
        self.server.mount(self.quay, self.gate, [Harbour])

    def peer(self, transport: Any, caller: Caller = PILOT, **more: Any) -> Peer:
        watch = more.pop("observer", Watch())
        more = {"authorize": showing(caller.role)} | more
        return Peer("quay.1", transport, caller, "Sea", watch, **more)


def showing(role: str) -> Callable[[bool], Awaitable[dict[str, str]]]:
    async def authorize(renew: bool) -> dict[str, str]:
        return {"authorization": role}

    return authorize


@asynccontextmanager
async def listening(application: Any, context: Any = None, address: str = "127.0.0.1") -> AsyncIterator[Listener]:
    listener = Listener(application, listen_on(address, 0), context)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.close(grace=0.2)


@asynccontextmanager
async def connected(
    listener: Listener, context: Any = None, address: str = "127.0.0.1"
) -> AsyncIterator[HttpTransport]:
    scheme = "http" if context is None else "https"
    transport = HttpTransport(f"{scheme}://{address}:{listener.port}", context, name="quay.1")
    try:
        yield transport
    finally:
        await transport.close()


@asynccontextmanager
async def wired(how: str, port: Port, caller: Caller = PILOT, **more: Any) -> AsyncIterator[Harbour]:
    """The harbour as a caller sees it: ``direct``, over ``memory`` or over a ``socket``."""
    if how == "direct":
        yield direct(Harbour, port.quay, port.gate, caller)
    elif how == "memory":
        yield client(Harbour, port.peer(MemoryTransport(port.server), caller, **more))
    else:
        async with listening(port.server) as listener, connected(listener) as transport:
            yield client(Harbour, port.peer(transport, caller, **more))


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class Dialogue:
    """A connection on which bytes are written and answers read as they come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))
        await self.writer.drain()

    async def reply(self, *, body: bool = True) -> Reply:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {n.strip().lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:] if line)}
        raw = await self.reader.readexactly(int(headers.get("content-length", 0))) if body else b""
        return Reply(int(head[0].split(" ")[1]), headers, raw)

    async def rest(self) -> bytes:
        """All that comes until the other end closes; a reset counts as an end."""
        parts = []
        try:
            while part := await self.reader.read(65536):
                parts.append(part)
        except ConnectionError:
            pass
        return b"".join(parts)


@asynccontextmanager
async def dialogue(port: int) -> AsyncIterator[Dialogue]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Dialogue(reader, writer)
    finally:
        writer.close()


def request(
    method: str, target: str, body: bytes = b"", headers: Iterable[str] = (), length: int | None = None
) -> bytes:
    """A request of the pilot in the bytes of HTTP/1.1, with a JSON body, unless ``headers`` say otherwise."""
    lines = [f"{method} {target} HTTP/1.1", "host: quay", *headers]
    if not any(line.lower().startswith("authorization") for line in lines):
        lines.append("authorization: pilot")
    if body and not any(line.lower().startswith("content-type") for line in lines):
        lines.append("content-type: application/json")
    if length is not None or body:
        lines.append(f"content-length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
