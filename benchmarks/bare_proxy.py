"""The floor of ``federated-call``: one TLS hop of the same parts (our listener, aiohttp), no token, no record, no rule.

`python -m benchmarks.bare_proxy` reads a `Plan`, says a line once it listens, and serves until its input ends. Without
a ``target`` it answers a request with its own body: a service that speaks TLS itself.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from typing import Any

import aiohttp
import msgspec
import uvloop

from hanse.kit.contract.asgi import Receive, Scope, Send
from hanse.kit.contract.body import body_of
from hanse.kit.contract.exchange import whole
from hanse.kit.contract.listen import Listener
from hanse.kit.ports import listen_on

LIMIT = 1024 * 1024


class Plan(msgspec.Struct):
    """Where to listen with which certificate, and the next one's URL (scheme, host, port, base path)."""

    host: str
    port: int
    certificate: str
    key: str
    authority: str
    target: str = ""


def server_tls(plan: Plan) -> ssl.SSLContext:
    """TLS 1.3, as Hanse has it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(plan.certificate, plan.key)
    return context


class Proxy:
    """Passes a request on and its answer back."""

    def __init__(self, plan: Plan) -> None:
        self._target = plan.target
        context = ssl.create_default_context(cafile=plan.authority)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), auto_decompress=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        body = await whole(body_of(receive), LIMIT)
        status, answer = await self._passed_on(scope, body) if self._target else (200, body)
        headers = [(b"content-type", b"application/octet-stream"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _passed_on(self, scope: Scope, body: bytes) -> tuple[int, bytes]:
        headers = {"content-type": "application/octet-stream"}
        async with self._session.request(
            scope["method"], self._target + scope["path"], data=body, headers=headers
        ) as answer:
            return answer.status, await answer.read()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()


async def serve(plan: Plan) -> None:
    """Serve until the standard input ends."""
    proxy: Any = Proxy(plan)
    listener = Listener(proxy, listen_on(plan.host, plan.port), server_tls(plan))
    await listener.start()
    print("listening", flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)
    await listener.close(0.1)
    await proxy.close()


if __name__ == "__main__":
    uvloop.run(serve(msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)))
