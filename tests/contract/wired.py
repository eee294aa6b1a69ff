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

CLIENTS = {"customer": "shop", "administrator": "desk", "oss": "office"}
"""Clients of north's management, by the role in which they call; the secret of each is in a file of its name."""


def secret_of(client: str) -> str:
    """The secret of one of them."""
    return client * 32


@contextmanager
def deployed(directory: Path) -> Iterator[Deployment]:
    """Configuration files and authorities of two operators; nothing runs."""
    handle, networks = claim()
    try:
        Deployment.from_template(directory, networks=networks)
        _add_clients(directory)
        _allow_receivers(directory)
        deployment = Deployment(directory / "deployment.toml")
        deployment.prepare()
        yield deployment
    finally:
        os.close(handle)


def _add_clients(directory: Path) -> None:
    with (directory / "north.toml").open("a") as file:
        for role, name in CLIENTS.items():
            (directory / name).write_text(secret_of(name))
            file.write(f'\n[clients.{name}]\nrole = "{role}"\ntenant = "acme"\nsecret_file = "{name}"\n')


def _allow_receivers(directory: Path) -> None:
    """Receivers of these tests listen on 127.0.0.1, which is no app's address."""
    for name in ("north", "south"):
        with (directory / f"{name}.toml").open("a") as file:
            file.write('\n[callbacks]\nallow = ["127.0.0.1"]\n')


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
