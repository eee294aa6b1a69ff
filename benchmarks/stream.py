"""The two ends of a flow under measurement, each a process: a sink, and a source that sends or dials for a while."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import msgspec

from hanse.drivers.dataplane_nftables.namespaces import inside

BLOCK = 1 << 20


class Plan(msgspec.Struct):
    """Who it is and where; ``namespace`` may be empty. ``source`` sends on one connection, ``dialler`` makes many."""

    role: Literal["sink", "source", "dialler"]
    address: str
    port: int
    namespace: str = ""
    seconds: float = 2.0


class Result(msgspec.Struct):
    """What a source did: bytes sent or connections made, in how many seconds, with how many of its CPU.

    Those include what the kernel did on its behalf: most of the way of a packet is walked in the sender's own time.
    """

    done: int
    seconds: float
    cpu: float


def sink(plan: Plan) -> None:
    """Take connections one after the other and read each to its end, until the standard input ends."""
    with _there(plan):
        server = socket.create_server((plan.address, plan.port), backlog=512)
    threading.Thread(target=_read_all, args=(server,), daemon=True).start()
    print("listening", flush=True)
    sys.stdin.buffer.read()


def _read_all(server: socket.socket) -> None:
    room = memoryview(bytearray(BLOCK))
    while True:
        connection, _ = server.accept()
        with connection:
            try:
                while connection.recv_into(room):
                    pass
            except ConnectionError:
                continue


def drive(plan: Plan) -> None:
    """Say that it is ready, wait for the word, work, and tell the result."""
    print("ready", flush=True)
    sys.stdin.buffer.readline()
    began, spent = time.perf_counter(), time.process_time()
    done = _send(plan) if plan.role == "source" else _dial(plan)
    result = Result(done, time.perf_counter() - began, time.process_time() - spent)
    sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()


def _send(plan: Plan) -> int:
    block, sent, until = bytes(BLOCK), 0, time.perf_counter() + plan.seconds
    with _connected(plan) as sock:
        while time.perf_counter() < until:
            sock.sendall(block)
            sent += BLOCK
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)  # the sink closes when it has read all
    return sent


def _dial(plan: Plan) -> int:
    """Connections closed with a reset, so that no port is kept waiting."""
    made, until = 0, time.perf_counter() + plan.seconds
    while time.perf_counter() < until:
        with _connected(plan) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        made += 1
    return made


def _connected(plan: Plan) -> socket.socket:
    with _there(plan):
        return socket.create_connection((plan.address, plan.port), timeout=10)


def _there(plan: Plan) -> AbstractContextManager[None]:
    return inside(plan.namespace) if plan.namespace else nullcontext()


def main() -> None:
    """Read the plan and be that end."""
    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)
    sink(plan) if plan.role == "sink" else drive(plan)


if __name__ == "__main__":
    main()
