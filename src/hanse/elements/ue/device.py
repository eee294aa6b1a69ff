"""A user's device: it has its own address, asks names of its resolver, and speaks TCP and HTTP from that address."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from hanse.elements.ue.lookup import look_up
from hanse.elements.ue.network import HERE, Network, attached
from hanse.kit.problems import Problem, bad_request, unreachable

_MOST_BODY = 64 * 1024 * 1024


class Answer(NamedTuple):
    """An HTTP answer: status, header fields (of equal names the last), body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Device:
    """A UE in a network that gave it ``address`` and tells it to ask names of ``resolver`` (address, port).

    It remembers nothing: each request asks the name anew and begins a flow of its own, so that a changed rule is seen
    at once. ``timeout`` is in seconds: for each try to resolve and to connect, and for the silence in an answer.
    ``network`` is where its sockets are made.
    """

    def __init__(self, address: str, resolver: tuple[str, int], timeout: float = 5.0, network: Network = HERE) -> None:
        self.address, self.resolver, self.timeout, self._network = address, resolver, timeout, network

    async def resolve(self, name: str) -> str:
        """The IPv4 address of a name; 404 if there is none, 403 if the resolver refuses, 503 if it does not answer."""
        return await look_up(
            name, lambda kind: attached(self._network, self.address, kind), self.resolver, self.timeout
        )

    async def open(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A TCP connection to a name or address; 503 if it is refused. The caller closes the writer."""
        address = await self.resolve(host)
        try:
            sock = attached(self._network, self.address)
            try:
                async with asyncio.timeout(self.timeout):
                    await asyncio.get_running_loop().sock_connect(sock, (address, port))
                    return await asyncio.open_connection(sock=sock)
            except BaseException:
                sock.close()
                raise
        except OSError as error:  # a TimeoutError is one
            raise self._refused(f"{host}:{port}", error) from None

    async def request(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One plain HTTP/1.1 request on a connection of its own; redirects are not followed.

        400: the URL is no ``http`` URL; 502: the answer is no HTTP or longer than 64 MiB; 503: refused, reset or
        silent; and what `resolve` raises.
        """
        parts = _checked(url)
        try:
            async with (
                self._session() as session,
                session.request(method, url, data=body or None, headers=headers, allow_redirects=False) as response,
            ):
                return Answer(response.status, dict(response.headers), await _read(response))
        except _Unresolved as error:
            raise error.problem from None
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError) as error:
            raise self._refused(parts, _cause(error)) from None
        except (aiohttp.ClientError, ValueError) as error:
            raise Problem(502, f"{parts} does not answer in HTTP", str(error)) from None

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            socket_factory=lambda _: attached(self._network, self.address),
            resolver=_DeviceResolver(self),
            use_dns_cache=False,
            force_close=True,
            family=socket.AF_INET,
        )
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self.timeout, sock_read=self.timeout)
        session = aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False)
        session._retry_connection = False  # else a GET that is reset is sent twice, and two refused flows are counted
        return session

    def _refused(self, where: str, error: BaseException) -> Problem:
        """What a device sees when the data plane, the application or the network says no."""
        if isinstance(error, ConnectionRefusedError):
            reason = "nothing listens there: the application or its traffic rule is not active"
        elif isinstance(error, ConnectionError | aiohttp.ServerDisconnectedError):
            reason = "the connection was reset: no traffic rule admits this device, or the application is down"
        elif isinstance(error, TimeoutError):
            reason = f"no answer within {self.timeout:g} seconds"
        else:
            reason = str(error)
        return unreachable(where, f"{self.address} was refused; {reason}")


class _Unresolved(aiohttp.ClientError):
    """Carries the problem of a name out of the HTTP client."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class _DeviceResolver(AbstractResolver):
    """Makes the HTTP client ask names as the device does."""

    def __init__(self, device: Device) -> None:
        self._device = device

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        try:
            address = await self._device.resolve(host)
        except Problem as problem:
            raise _Unresolved(problem) from None
        return [ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing is held."""


def _checked(url: str) -> str:
    """The host and port of an ``http`` URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError as error:
        raise bad_request("url is not a URL", str(error)) from None
    if parts.scheme != "http" or not parts.hostname:
        raise bad_request("url is not an http URL", f"write http://name:port/path; got {url!r}")
    return f"{parts.hostname}:{port}"


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The whole body, within bounds."""
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > _MOST_BODY:
            raise ValueError(f"the body is longer than {_MOST_BODY} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _cause(error: BaseException) -> BaseException:
    """The operating system's error inside the client's, where there is one."""
    inner = getattr(error, "os_error", None) or error.__cause__
    return inner if isinstance(inner, OSError) else error
