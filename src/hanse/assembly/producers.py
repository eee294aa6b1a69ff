"""Producers: the apps of a host as the platform reaches them to carry calls of other systems to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from hanse.kit.contract.call import current_call
from hanse.kit.contract.client import SMALL_BODY
from hanse.kit.contract.declare import Stream
from hanse.kit.contract.exchange import Exchange, leaves_base, passed_on, relocated, whole
from hanse.kit.contract.reply import stream_of
from hanse.kit.contract.transport import HttpTransport
from hanse.kit.contract.web_links import retargeted
from hanse.kit.problems import Problem, not_found
from hanse.refpoints.mpp_fed.consumption import ServiceConsumption

Inside = Callable[[str, int], bool]


class Producer(ServiceConsumption):
    """One app's service at its base URI."""

    def __init__(self, base: str, inside: Inside) -> None:
        parts = urlsplit(base)
        self._path = parts.path.rstrip("/")
        self._url = f"{parts.scheme}://{parts.netloc}"
        self._transport = HttpTransport(self._url, None, name="the service", unwanted=inside)

    async def consume(self, reference: str, rest: str, exchange: Exchange) -> Stream:  # noqa: ARG002
        """Carry one request to the app; a problem 404 for a path that would lead out of the service's base."""
        if leaves_base(rest):
            raise not_found("resource", rest)
        headers = passed_on(exchange.headers)
        body: object = None
        if exchange.length is not None and exchange.length <= SMALL_BODY:
            body = await whole(exchange.body, SMALL_BODY)
        elif exchange.length is not None or "transfer-encoding" in exchange.headers:
            body = exchange.body
            if exchange.length is not None:
                headers["content-length"] = str(exchange.length)
        target = f"{self._path}/{rest}" + (f"?{exchange.query}" if exchange.query else "")
        patience = current_call().remaining()
        reply = await self._transport.send(exchange.method, target, headers, body, patience)  # type: ignore[arg-type]
        if "link" in reply.headers:
            links = retargeted(reply.headers["link"], self._relative)
            reply.headers = {**reply.headers, "link": links}
        return relocated(stream_of(reply), lambda location: self._below(rest, location))

    def _below(self, rest: str, location: str) -> str:
        """A location that the app names, as a path below the service's base; nothing for one that leads elsewhere."""
        base = f"{self._path}/"
        path = urljoin(base + rest, location)
        return path.removeprefix(base) if path.startswith(base) else ""

    def _relative(self, target: str) -> str:
        """A link of the app without its own address, which many give; it tells consumers nothing."""
        return target[len(self._url) :] if target.lower().startswith(f"{self._url.lower()}/") else target

    async def close(self) -> None:
        """Close the connections to the app."""
        await self._transport.close()


class Producers:
    """Producers by base URI; the least recently used one is let go when there are many."""

    def __init__(self, inside: Inside = lambda _host, _port: False, most: int = 256) -> None:
        """``inside`` says of an address and port whether it is the operator's own: nothing is carried there."""
        self._inside = inside
        self._most = most
        self._known: dict[str, Producer] = {}

    def __call__(self, base: str) -> ServiceConsumption:
        """The producer at a base URI; a problem 502 for a URI that is not HTTP, or leads inside."""
        producer = self._known.pop(base, None) or self._made(base)
        self._known[base] = producer
        if len(self._known) > self._most:
            oldest = self._known.pop(next(iter(self._known)))
            asyncio.get_running_loop().create_task(oldest.close())
        return producer

    def _made(self, base: str) -> Producer:
        if not _reachable(base):
            raise Problem(502, "Service cannot be reached", "its URI must be http://HOST:PORT/...")
        parts = urlsplit(base)
        if self._inside(parts.hostname or "", parts.port or 80):
            raise Problem(502, "Service cannot be reached", "its URI is none of an application")
        return Producer(base, self._inside)

    async def close(self) -> None:
        """Let go of all."""
        for producer in self._known.values():
            await producer.close()


def _reachable(base: str) -> bool:
    try:
        parts = urlsplit(base)
        return parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
