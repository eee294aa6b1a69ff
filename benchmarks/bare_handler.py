"""The floor of ``mp1-discovery``: Starlette and msgspec on uvicorn, which encode the same records and do nothing more.

Which records answer a query is not found out here: a table has them by the query as it stands in the URI, so that no
handler of these parts could be faster that encodes its answer.
"""

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
    """Where to listen with which certificate, all records, and for each query the places of those that answer it."""

    host: str
    port: int
    certificate: str
    key: str
    services: list[ServiceInfo]
    answers: dict[str, list[int]]


def application(services: list[ServiceInfo], answers: dict[str, list[int]]) -> Starlette:
    """Looks up a query, encodes what is there."""
    table = {query.encode(): [services[place] for place in places] for query, places in answers.items()}
    encode = msgspec.json.Encoder().encode

    async def find(request: Request) -> Response:
        return Response(encode(table[request.scope["query_string"]]), media_type="application/json")

    return Starlette(routes=[Route("/mec_service_mgmt/v1/services", find)])


def main() -> None:
    """Serve until the standard input ends."""
    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)
    config = uvicorn.Config(
        application(plan.services, plan.answers),
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
