"""The floor of ``mp1-discovery``: Starlette and msgspec on uvicorn, which answer the same records and nothing more."""

from __future__ import annotations

import socket
import sys
import threading

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hanse.refpoints.mp1.services import ServiceInfo


class Plan(msgspec.Struct):
    """Where to listen with which certificate, and the records to answer with."""

    host: str
    port: int
    certificate: str
    key: str
    services: list[ServiceInfo]


def application(services: list[ServiceInfo]) -> Starlette:
    """Looks up a name, encodes what is there."""
    by_name: dict[str, list[ServiceInfo]] = {}
    for service in services:
        by_name.setdefault(service.ser_name, []).append(service)
    encode = msgspec.json.Encoder().encode

    async def find(request: Request) -> Response:
        found = by_name.get(request.query_params["ser_name"], [])
        return Response(encode(found), media_type="application/json")

    return Starlette(routes=[Route("/mec_service_mgmt/v1/services", find)])


def main() -> None:
    """Serve until the standard input ends."""
    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)
    config = uvicorn.Config(
        application(plan.services),
        http="httptools",
        loop="uvloop",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,
        ssl_certfile=plan.certificate,
        ssl_keyfile=plan.key,
    )
    server = uvicorn.Server(config)

    def wait() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    sock = socket.create_server((plan.host, plan.port), backlog=2048)
    threading.Thread(target=wait, daemon=True).start()
    print("listening", flush=True)
    server.run(sockets=[sock])


if __name__ == "__main__":
    main()
