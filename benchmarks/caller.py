"""One caller in a process of its own, which calls several ways in turns, each on a warm connection.

What else the machine does at the time hits every way alike. `python -m benchmarks.caller` reads a `Plan` and answers
with the seconds of every call, for each way.
"""

from __future__ import annotations

import socket
import ssl
import sys
import time
from contextlib import ExitStack

import msgspec

BLOCK = 20
"""Calls of one way in a row: enough that caches are warm, few enough that all ways see the same machine."""


WARM = 5
"""Calls at the beginning of a block that do not count."""


class Way(msgspec.Struct):
    """Whom to call, at which path, as whom."""

    port: int
    path: str
    authorization: str = ""


class Plan(msgspec.Struct):
    """What to send and how often; the first of each block do not count."""

    host: str
    authority: str
    size: int
    calls: int
    ways: dict[str, Way]


def run(plan: Plan) -> dict[str, list[float]]:
    """Seconds of each call; an answer that is not the body that was sent ends the process."""
    body = (b"0123456789abcdef" * (plan.size // 16 + 1))[: plan.size]
    requests = {name: _request(plan.host, way, body) for name, way in plan.ways.items()}
    seconds: dict[str, list[float]] = {name: [] for name in requests}
    with ExitStack() as stack:
        lines = {name: stack.enter_context(_connected(plan, way)) for name, way in plan.ways.items()}
        for _ in range(max(1, plan.calls // BLOCK)):
            for name, request in requests.items():
                block = [_call(lines[name], request, body) for _ in range(WARM + BLOCK)]
                seconds[name] += block[WARM:]
    return seconds


def _connected(plan: Plan, way: Way) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=plan.authority)
    raw = socket.create_connection((plan.host, way.port), timeout=10)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(raw, server_hostname=plan.host)


def _request(host: str, way: Way, body: bytes) -> bytes:
    lines = [f"POST {way.path} HTTP/1.1", f"host: {host}", f"content-length: {len(body)}"]
    lines.append("content-type: application/octet-stream")
    if way.authorization:
        lines.append(f"authorization: {way.authorization}")
    return "\r\n".join([*lines, "\r\n"]).encode() + body


def _call(connection: ssl.SSLSocket, request: bytes, body: bytes) -> float:
    began = time.perf_counter()
    connection.sendall(request)
    answer = b""
    while not answer.endswith(body):
        part = connection.recv(65536)
        if not part:
            raise SystemExit(f"closed after {answer[:300]!r}")
        answer += part
        if not answer.startswith(b"HTTP/1.1 200"[: len(answer)]):
            raise SystemExit(f"answered {answer[:300]!r}")
    return time.perf_counter() - began


def main() -> None:
    """Read a plan, answer with seconds."""
    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)
    print(msgspec.json.encode(run(plan)).decode(), flush=True)


if __name__ == "__main__":
    main()
