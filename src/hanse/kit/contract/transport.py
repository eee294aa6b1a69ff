"""Transports of a client: a pool of TLS connections, or an ASGI application in the same process."""

from __future__ import annotations

import asyncio
import socket
import ssl
import weakref
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import unquote

import aiohttp
from yarl import URL

from hanse.kit.contract.reply import Reply
from hanse.kit.contract.serve import ApiServer
from hanse.kit.problems import Problem, unreachable

RETIRED_LOOK = 1.0
"""Seconds between two looks at whether what was begun before a renewal has ended."""
RETIRED_PATIENCE = 86_400.0
"""Seconds after which what was begun before a renewal is cut: somebody forgot it."""

Unwanted = Callable[[str, int], bool]


class HttpTransport:
    """Reaches one provider over HTTP/1.1 on warm connections; ``url`` is scheme, host and port."""

    def __init__(
        self,
        url: str,
        context: ssl.SSLContext | None,
        *,
        name: str = "",
        connections: int = 100,
        unwanted: Unwanted | None = None,
    ) -> None:
        """``unwanted`` says of an address and port to which a host's name leads that it must not be connected to."""
        self.url = url.rstrip("/")
        self._unwanted = unwanted
        self._name = name or self.url
        self._context = context
        self._connections = connections
        self._pool: _Pool | None = None
        self._retired: dict[_Pool, asyncio.Task[None]] = {}
        self.renewals = 0
        """How often `renew` was called."""

    async def send(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes | AsyncIterator[bytes] | None,
        patience: float,
    ) -> Reply:
        """One request; redirects are not followed, bodies are not decompressed."""
        timeout = aiohttp.ClientTimeout(total=patience, connect=min(patience, 5.0))
        try:
            response = await self._opened().request(
                method,
                URL(self.url + target, encoded=True),  # else `..` in a name would lead to another resource
                headers=headers,
                data=body,
                timeout=timeout,
                allow_redirects=False,
            )
        except TimeoutError:
            raise Problem(504, f"{self._name} does not answer", f"no answer within {patience:.1f} s") from None
        except aiohttp.ClientResponseError as error:
            raise Problem(502, f"{self._name} answered nonsense", error.message) from None
        except (aiohttp.ClientError, OSError) as error:
            raise unreachable(self._name, _reason(error)) from None
        lower = {name.lower(): value for name, value in response.headers.items()}
        if "link" in lower:  # often on lines of their own
            lower["link"] = ", ".join(response.headers.getall("link"))
        return Reply(response.status, lower, self._chunks(response), response.close)

    async def _chunks(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        try:
            async for chunk in response.content.iter_any():
                yield chunk
        except TimeoutError:
            raise Problem(504, f"{self._name} does not answer", "the answer stopped in its middle") from None
        except (aiohttp.ClientError, OSError, RuntimeError) as error:  # the last: we closed it between two reads
            raise unreachable(self._name, _reason(error)) from None
        finally:
            response.release()

    def _opened(self) -> _Pool:
        if self._pool is None:
            self._pool = _Pool(self._context, self._connections, self._unwanted)
        return self._pool

    def renew(self) -> None:
        """Make requests on new connections from now on; those that are under way end on theirs, which close then."""
        self.renewals += 1
        pool, self._pool = self._pool, None
        if pool is not None:
            self._retired[pool] = asyncio.create_task(self._retire(pool))

    async def _retire(self, pool: _Pool) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + RETIRED_PATIENCE
        while pool.busy and loop.time() < deadline:  # noqa: ASYNC110 (aiohttp tells of no end)
            await asyncio.sleep(RETIRED_LOOK)
        self._retired.pop(pool, None)
        await pool.close()

    async def close(self) -> None:
        """Close every connection, also those in use; the next request opens new ones."""
        for task in self._retired.values():
            task.cancel()
        pools = [*self._retired, *([self._pool] if self._pool else [])]
        self._pool, self._retired = None, {}
        for pool in pools:
            await pool.close()


class _Pool:
    """Warm connections, and what is under way on them."""

    def __init__(self, context: ssl.SSLContext | None, connections: int, unwanted: Unwanted | None) -> None:
        connector = aiohttp.TCPConnector(
            ssl=context if context is not None else True,
            limit=connections,
            keepalive_timeout=30,
            resolver=None if unwanted is None else _Wary(unwanted),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),  # many callers share a transport, no cookie may pass between them
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        )
        self._asking = 0
        self._answers: weakref.WeakSet[aiohttp.ClientResponse] = weakref.WeakSet()

    async def request(self, method: str, url: URL, **options: Any) -> aiohttp.ClientResponse:
        """One request, as aiohttp has it."""
        self._asking += 1
        try:
            answer = await self._session.request(method, url, **options)
        finally:
            self._asking -= 1
        self._answers.add(answer)
        return answer

    @property
    def busy(self) -> bool:
        """Whether a request has no answer yet, or an answer is not read to its end."""
        return self._asking > 0 or any(not answer.closed for answer in self._answers)

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()


class _Wary(aiohttp.ThreadedResolver):
    """Finds the addresses of a name, and none that is unwanted: what a name leads to may change at any time."""

    def __init__(self, unwanted: Unwanted) -> None:
        super().__init__()
        self._unwanted = unwanted

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        found = await super().resolve(host, port, family)
        if any(self._unwanted(each["host"], each["port"]) for each in found):
            raise OSError(f"{host} leads to where nothing is to be called")
        return found


class MemoryTransport:
    """Reaches an ASGI application in this process, byte for byte as over a socket, without one."""

    def __init__(self, application: ApiServer, **scope: Any) -> None:
        self._application = application
        self._scope = scope

    async def send(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes | AsyncIterator[bytes] | None,
        patience: float,
    ) -> Reply:
        """One request; the answer is gathered before it is handed on."""
        raw = b"" if body is None else body if isinstance(body, bytes) else b"".join([part async for part in body])
        messages: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        broken = ""
        try:
            await asyncio.wait_for(self._application(self._request(method, target, headers), receive, send), patience)
        except TimeoutError:
            raise Problem(504, "memory does not answer", f"no answer within {patience:.1f} s") from None
        except Exception as error:  # where a server would cut the connection
            if not messages:
                raise unreachable("memory", _reason(error)) from None
            broken = _reason(error)
        lower = {name.decode(): value.decode("latin-1") for name, value in messages[0].get("headers", [])}
        return Reply(messages[0]["status"], lower, _told(messages[1:], broken))

    def _request(self, method: str, target: str, headers: dict[str, str]) -> dict[str, Any]:
        path, _, query = target.partition("?")
        return {
            "type": "http",
            "method": method,
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "scheme": "https",
            "headers": [(b"host", b"memory")] + [(n.lower().encode(), v.encode()) for n, v in headers.items()],
            **self._scope,
        }


async def _told(messages: list[Any], broken: str) -> AsyncIterator[bytes]:
    for message in messages:
        if message.get("body"):
            yield message["body"]
    if broken:
        raise unreachable("memory", broken)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
