"""A user-space data plane with some rules, in a process of its own."""

from __future__ import annotations

import asyncio
import sys

import msgspec
import uvloop

from hanse.drivers.dataplane_userspace import UserspaceDataPlane
from hanse.refpoints.mp2 import Forwarding


class Plan(msgspec.Struct):
    """The plane's own address and its rules."""

    address: str
    rules: list[Forwarding]


async def relay(plan: Plan) -> None:
    """Carry until the standard input ends."""
    plane = UserspaceDataPlane(plan.address)
    await plane.start()
    for rule in plan.rules:
        await plane.install(rule.rule_id, rule)
    print("listening", flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)
    await plane.close()


if __name__ == "__main__":
    uvloop.run(relay(msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)))
