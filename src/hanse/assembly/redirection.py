"""The redirector of a host: answers devices over HTTP and HTTPS with the place to which they are led (307)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from weakref import WeakKeyDictionary

from hanse.assembly.addresses import until_there
from hanse.assembly.catalogue import Element
from hanse.assembly.leading import RedirectionSettings
from hanse.assembly.wiring import Wiring
from hanse.elements.mep.steering.redirection import Redirection
from hanse.elements.mep.steering.redirection_request import Request
from hanse.kit.background import Background
from hanse.kit.certificates import Identity, server_context
from hanse.kit.contract.answer import deliver, problem_answer
from hanse.kit.contract.asgi import Answer, Receive, Scope, Send
from hanse.kit.contract.body import body_of
from hanse.kit.contract.connection import TARGET, TLS
from hanse.kit.contract.listen import Listener
from hanse.kit.ports import listen_on
from hanse.kit.problems import Problem

log = logging.getLogger("hanse.redirection")

MOST_CERTIFIED = 1000
"""Names in a certificate: a client takes a chain of 100 kB at most, and each handshake carries it."""
MOST_TAKEN = 1024 * 1024
"""Bytes of a body that are taken before the answer; who has more to send should ask first (RFC 9110, 10.1.1)."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds until a certificate that could not be made is tried again."""
_UNKEPT = (b"cache-control", b"no-store")  # the next request may be led elsewhere, also to what is not there now


class ServerNames:
    """For which name each TLS connection was begun, as long as the connection lives."""

    def __init__(self) -> None:
        self._told: WeakKeyDictionary[ssl.SSLObject, str] = WeakKeyDictionary()

    def listen(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """Note the names of the connections of a context."""
        context.sni_callback = self._note
        return context

    def of(self, connection: ssl.SSLObject | None) -> str:
        """The name; empty without TLS, and if the client told none."""
        return "" if connection is None else self._told.get(connection, "")

    def _note(self, connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        if name and isinstance(connection, ssl.SSLObject):
            self._told[connection] = name


class RedirectionServer:
    """An ASGI application: every method and path of a steered name is answered, whatever the body is."""

    def __init__(self, redirection: Redirection, server_names: ServerNames) -> None:
        self._redirection = redirection
        self._server_names = server_names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            return
        status, headers, body = await self._answer(scope, receive)
        await deliver((status, [*headers, _UNKEPT], body), scope, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        try:
            location = self._redirection.location(self._request(scope))
            if not _asks_first(scope):
                await _taken(receive)
        except Problem as problem:
            return problem_answer(problem)
        return 307, [(b"location", location.encode()), (b"content-length", b"0")], b""

    def _request(self, scope: Scope) -> Request:
        hosts = tuple(value for name, value in scope["headers"] if name == b"host")
        server_name = self._server_names.of(scope[TLS])
        return Request(scope["scheme"], scope[TARGET], hosts, scope["client"][0], server_name)


def _asks_first(scope: Scope) -> bool:
    """Whether the client sends its body only when it is told to (RFC 9110, 10.1.1: in any case of letters)."""
    return any(name == b"expect" and value.strip().lower() == b"100-continue" for name, value in scope["headers"])


async def _taken(receive: Receive) -> None:
    """Take the body that comes along: a client that is still sending as the connection ends reads no answer."""
    size = 0
    async for chunk in body_of(receive):
        size += len(chunk)
        if size > MOST_TAKEN:
            return


class Redirector:
    """Listens while the platform of the host runs; its certificate follows the names that are led."""

    def __init__(self, wiring: Wiring, element: Element, place: RedirectionSettings, redirection: Redirection) -> None:
        self._wiring = wiring
        self._host = element.host
        self._place = place
        self._redirection = redirection
        self._server_names = ServerNames()
        self._certified: tuple[str, ...] = ()
        self._shown: tuple[str, ...] = ()
        self._tls: ssl.SSLContext | None = None
        self._listeners: list[Listener] = []
        self._background = Background()

    async def start(self) -> None:
        """Listen; 409 names who holds a port."""
        if self._wiring.settings.hosts[self._host].data_plane_driver == "nftables":
            await until_there(self._place.address)
        self._certified = self._shown = self._names()
        server = RedirectionServer(self._redirection, self._server_names)
        for scheme, port in self._place.ports().items():
            if scheme == "https":
                self._tls = await asyncio.to_thread(self._context)
            context = self._tls if scheme == "https" else None
            listener = Listener(server, listen_on(self._place.address, port), context)
            self._listeners.append(listener)
            await listener.start()
        if self._tls is not None:
            self._background.start(self._follow(self._tls))

    async def close(self) -> None:
        """Listen no more."""
        await self._background.stop()
        await asyncio.gather(*(listener.close() for listener in self._listeners))

    def _context(self) -> ssl.SSLContext:
        def make(identity: Identity) -> ssl.SSLContext:
            return self._server_names.listen(server_context(identity, require_client=None, standard=True))

        return self._wiring.renewal.context(self._identity, make)

    def _identity(self) -> Identity:
        """Made in a thread, of what was read of the records before."""
        return self._wiring.identities.of_names(f"redirection.{self._host}", self._certified, self._place.address)

    def _names(self) -> tuple[str, ...]:
        names = self._redirection.certified()
        if len(names) > MOST_CERTIFIED:
            log.warning("%d names are led, %d of them are in the certificate", len(names), MOST_CERTIFIED)
        return tuple(names[:MOST_CERTIFIED])

    async def _follow(self, tls: ssl.SSLContext) -> None:
        """Have other names certified as they come and go, until cancelled; what fails is tried again by itself."""
        pause: float | None = None
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._redirection.changed.wait()
            self._redirection.changed.clear()
            pause = await self._certify(tls, pause)

    async def _certify(self, tls: ssl.SSLContext, last: float | None) -> float | None:
        """Show a certificate for the names that are led now; after a failure the seconds until the next try."""
        self._certified = names = self._names()
        if names == self._shown:
            return None
        try:
            await self._wiring.renewal.show(tls)
        except Exception as error:  # a full disk, most likely; the names wait, those that are certified do not
            pause = FIRST_PAUSE if last is None else min(2 * last, LONGEST_PAUSE)
            log.warning("names at %s are not certified, the next try is in %g s: %s", self._host, pause, error)
            return pause
        self._shown = names
        return None
