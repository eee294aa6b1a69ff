"""The floor of ``notifications``: aiohttp posts the same bodies to the same subscribers, and keeps nothing of them.

`python -m benchmarks.bare_poster` reads a `Plan`, says a line once it is ready, posts all for each line that it then
reads, and says a line once all were taken; it ends with its input.
"""

from __future__ import annotations

import asyncio
import sys

import aiohttp
import msgspec
import uvloop

IN_FLIGHT = 50
"""Posts at a time: where aiohttp was found to be fastest."""


class Plan(msgspec.Struct):
    """Where to post, and what to each."""

    urls: list[str]
    body: str


async def post_all(session: aiohttp.ClientSession, plan: Plan) -> None:
    """Post to every subscriber; raises if one does not take it."""
    waiting = iter(plan.urls)
    headers = {"content-type": "application/json"}

    async def work() -> None:
        for url in waiting:
            async with session.post(url, data=plan.body.encode(), headers=headers) as response:
                if response.status != 204:
                    raise RuntimeError(f"{url} answered {response.status}")

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


async def run(plan: Plan) -> None:
    """Post whenever told, until the input ends."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:
        print("ready", flush=True)
        while await asyncio.to_thread(sys.stdin.buffer.readline):
            await post_all(session, plan)
            print("done", flush=True)


if __name__ == "__main__":
    uvloop.run(run(msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)))
