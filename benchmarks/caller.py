"""One caller in a process of its own, which sends the same request again and again on a warm connection.

`python -m benchmarks.caller` reads a `Plan` a line and answers each with the seconds of every call.
"""

from __future__ import annotations

import socket
import ssl
import sys
import time

import msgspec


class Plan(msgspec.Struct):
    """Whom to call, with what, how often; calls of the beginning that do not count."""

    host: str
    port: int
    authority: str
    path: str
    size: int
    calls: int
    warm: int = 20
    authorization: str = ""


def run(plan: Plan) -> list[float]:
    """Seconds of each call; an answer that is not the body that was sent ends the process."""
    context = ssl.create_default_context(cafile=plan.authority)
    raw = socket.create_connection((plan.host, plan.port), timeout=10)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with context.wrap_socket(raw, server_hostname=plan.host) as connection:
        body = (b"0123456789abcdef" * (plan.size // 16 + 1))[: plan.size]
        request = _request(plan, body)
        for _ in range(plan.warm):
            _call(connection, request, body)
        return [_call(connection, request, body) for _ in range(plan.calls)]


def _request(plan: Plan, body: bytes) -> bytes:
    lines = [f"POST {plan.path} HTTP/1.1", f"host: {plan.host}", f"content-length: {len(body)}"]
    lines.append("content-type: application/octet-stream")
    if plan.authorization:
        lines.append(f"authorization: {plan.authorization}")
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
    """Read plans, answer with seconds."""
    for line in sys.stdin.buffer:
        print(msgspec.json.encode(run(msgspec.json.decode(line, type=Plan))).decode(), flush=True)


if __name__ == "__main__":
    main()
