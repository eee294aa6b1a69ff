"""One real operator, put together as a process does it and not started, on addresses that nobody else uses."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hanse.assembly.builders import Built, build
from hanse.assembly.catalogue import chosen
from hanse.assembly.deployment import Deployment
from hanse.assembly.servers import listeners
from hanse.assembly.wiring import Wiring
from hanse.kit.contract.listen import Listener
from hanse.kit.contract.observe import Silence
from hanse.scenarios.stage import claim


@contextmanager
def deployed(directory: Path) -> Iterator[Deployment]:
    """Configuration files and authorities of two operators; nothing runs."""
    handle, networks = claim()
    try:
        deployment = Deployment.from_template(directory, networks=networks)
        deployment.prepare()
        yield deployment
    finally:
        os.close(handle)


def put_together(deployment: Deployment, names: list[str], operator: str = "north") -> Built:
    """Elements of an operator, as a process of its own would have them."""
    settings = deployment.settings(operator)
    return build(Wiring(settings, chosen(settings, names), Silence()))


def listening(built: Built) -> dict[str, Listener]:
    """The listeners of what was put together, by the name of their element; bound, not served."""
    by_place = {(e.address, e.port): e.name for e in built.wiring.chosen}
    bound = listeners(built)
    return {by_place[listener.address, listener.port]: listener for listener in bound}


async def taken_apart(built: Built, bound: dict[str, Listener]) -> None:
    """Give back sockets and files."""
    await asyncio.gather(*(listener.close(0.2) for listener in bound.values()))
    await built.wiring.stop()
