"""What is there of an instance: in processes, directories, records, names and rules."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hanse.assembly.deployment import renumbered
from hanse.assembly.settings import Settings as OperatorSettings
from hanse.kit.problems import Problem
from hanse.scenarios.stage import EXAMPLES
from tests.faults import stages
from tests.faults.operators import LoneOperator
from tests.faults.packages import FIRST, Place
from tests.faults.records import rows

sys.path.append(str(EXAMPLES / "navigation" / "Artifacts" / "Images" / "navigation"))

from mec_app import Platform, Settings

PATIENCE = 30.0
"""Seconds in which what was begun must have settled; an idle machine takes one, but that of a gate is not idle."""
EVERYWHERE = ("meo", "mepm", "mep", "vim", "oss")
"""Roles of elements that keep records of instances."""


def as_app(operator: LoneOperator, app_instance_id: str) -> Platform:
    """Mp1 with the app's own credentials."""
    return app_at(operator.settings, "harbour", app_instance_id)


def app_at(settings: OperatorSettings, host: str, app_instance_id: str) -> Platform:
    """Mp1 with the own credentials of an app at a host."""
    directory = settings.directory / f"vim.{host}" / "compute" / "instances" / app_instance_id
    environment = json.loads((directory / "spec.json").read_text())["workload"]["environment"]
    ca = directory / "work" / environment["MEC_PLATFORM_CA"]
    return Platform(Settings.from_environment({**environment, "MEC_PLATFORM_CA": str(ca)}))


async def until(holds: Callable[[], bool], patience: float = PATIENCE) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + patience
    while not await asyncio.to_thread(holds):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True


def has_said(operator: LoneOperator, app_instance_id: str, words: str) -> bool:
    """Whether the app has written these words."""
    output = operator.instances / app_instance_id / "output.log"
    return output.exists() and words in output.read_text(errors="replace")


async def assert_runs_once(operator: LoneOperator, app_instance_id: str, place: Place = FIRST) -> None:
    """One process of all apps, one service, its name and its rule."""
    assert len(operator.apps()) == 1
    assert await until(lambda: has_said(operator, app_instance_id, "ready on"))
    app = as_app(operator, app_instance_id)
    services = await asyncio.to_thread(app.services, "navigation")
    assert [s["isLocal"] for s in services if s.get("isLocal") is not False] == [True] * len(services)
    assert len(services) == 1, f"registered {len(services)} times"
    assert await stages.until(lambda: _answers(operator, place)), "an operator that is ready puts them back by itself"
    assert len(operator.apps()) == 1


async def _answers(operator: LoneOperator, place: Place) -> bool:
    try:
        return (await operator.alice().request("GET", f"http://{place.name}:8080/healthz")).status == 200
    except Problem:
        return False


async def assert_nothing_at_the_host(operator: LoneOperator, app_instance_id: str, place: Place = FIRST) -> None:
    """No process, directory, record, name or rule of it at its host, nor of any other instance."""
    assert operator.apps() == []
    assert not list(operator.instances.glob("*"))
    await assert_gone(operator, app_instance_id, place)


async def assert_gone(operator: LoneOperator, app_instance_id: str, place: Place = FIRST) -> None:
    """No directory, record, name or rule of it at its host."""
    assert not (operator.instances / app_instance_id).exists()
    await assert_unmentioned(operator, app_instance_id, ("mep", "mepm", "vim"))
    with pytest.raises(Problem) as unresolved:
        await operator.alice().resolve(place.name)
    assert unresolved.value.status == 404
    assert not rule_listens(operator, place)


def rule_listens(operator: LoneOperator, place: Place = FIRST) -> bool:
    """Whether the data plane still answers at the app's virtual address."""
    with socket.socket() as device:
        device.settimeout(1.0)
        device.bind((operator.settings.devices["alice"].address, 0))
        return device.connect_ex((renumbered(place.virtual, operator.networks), 8080)) == 0


async def assert_unmentioned(operator: LoneOperator, text: str, roles: tuple[str, ...] = EVERYWHERE) -> None:
    """No record speaks of it any more; an event that tells of its end may be on its way for a moment."""
    assert await until(lambda: not mentions(operator, text, roles)), mentions(operator, text, roles)


def mentions(operator: LoneOperator, text: str, roles: tuple[str, ...]) -> list[str]:
    """Records of the elements of these roles in which a text stands, as ``file table key``."""
    found = []
    for file in sorted(operator.settings.directory.glob("*.sqlite")):
        if file.name.partition(".")[0] in roles:
            found += [f"{file.name} {where}" for where in _rows_with(file, text)]
    return found


def _rows_with(file: Path, text: str) -> list[str]:
    return [
        f"{table} {key}"
        for (table,) in rows(file, "SELECT name FROM sqlite_master WHERE type = 'table'")
        for (key,) in rows(file, f'SELECT key FROM "{table}" WHERE instr(key, ?) OR instr(body, ?)', text, text)
    ]
