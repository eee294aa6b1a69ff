"""The name server under measurement, in a process of its own; says when it listens, and how many answers it made."""

from __future__ import annotations

import asyncio
import sys

import msgspec
import uvloop

from benchmarks.dns_population import Population
from hanse.drivers.names_embedded import EmbeddedNames


class Plan(msgspec.Struct):
    """Where to listen, what to answer, and how many answers may be kept ready (0: each is made anew)."""

    address: str
    port: int
    population: Population
    ready: int


async def serve(plan: Plan) -> None:
    """Until the input ends; each line is answered with how many answers were made, not found ready."""
    names = EmbeddedNames(plan.address, plan.port, zones=(plan.population.zone,), ready=plan.ready)
    for record in plan.population.records():
        await names.publish(record.record_id, record)
    await names.start()
    print("listening", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(names.fast.made, flush=True)
    await names.close()


def main() -> None:
    """Read a plan, serve."""
    plan = msgspec.json.decode(sys.stdin.readline(), type=Plan)
    uvloop.run(serve(plan))


if __name__ == "__main__":
    main()
