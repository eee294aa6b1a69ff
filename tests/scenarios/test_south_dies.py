"""A partner that dies costs an operator what the partner gave, nothing of its own, and comes back by itself."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from importlib import import_module
from pathlib import Path

import pytest

from hanse.kit.problems import Problem
from hanse.refpoints.mfm_fed.members import PartnerState
from hanse.scenarios.stage import Stage, example_module
from tests.faults.remains import app_at
from tests.faults.stages import federated, offers, stands, until, up
from tests.lateness import lateness

pytestmark = pytest.mark.timeout(300)

HOME = "http://navigation.example.com:8080"
NOTICED = 5.0
"""Seconds in which an operator's status must show that its partner is gone."""


@pytest.mark.parametrize("separate", [False, True], ids=["one process", "a process for each element"])
async def test_north_lives_on_without_south_and_has_it_back_without_a_command(tmp_path: Path, separate: bool) -> None:
    async with federated(tmp_path, separate=separate) as stage:
        _, speech = await stage.on_board("south", await asyncio.to_thread(stage.package, "speech", "earshot"))
        _, navigation = await stage.on_board("north", await asyncio.to_thread(stage.package, "navigation", "wayfinder"))
        producer = await up(stage, "south", speech, "valley")
        consumer = await up(stage, "north", navigation, "harbour")
        assert await until(lambda: offers(stage, "south", "speech-recognition"))
        assert await until(lambda: answers(stage, 200))

        workloads = stage.workloads()
        south = [running.pid for running in stage.deployment.running() if running.operator == "south"]
        assert (len(south) > 1) is separate
        async with lateness() as late:
            for pid in south:
                os.kill(pid, signal.SIGKILL)
            noticed = await until(lambda: stands(stage, "north", PartnerState.TEMPORARY_FAILURE))
        assert 0 < noticed < NOTICED + late.seconds

        assert (await stage.device("north", "alice").request("GET", f"{HOME}/healthz")).status == 200
        app = app_at(stage.operator("north"), "harbour", consumer)
        assert await asyncio.to_thread(app.services, "speech-recognition") == []
        status, body = await directions(stage)
        assert (status, "not offered" in body) == (503, True), body

        started = stage.deployment.start_operator(stage.operator("south"), separate=separate)
        await asyncio.to_thread(stage.deployment.await_operator, started)
        assert await until(lambda: answers(stage, 200))
        assert stage.workloads() == workloads, "south's apps ran on"
        services = await asyncio.to_thread(app_at(stage.operator("south"), "valley", producer).services, "navigation")
        assert services == []


async def answers(stage: Stage, status: int) -> bool:
    try:
        return (await directions(stage))[0] == status
    except Problem:
        return False


async def directions(stage: Stage) -> tuple[int, str]:
    """Alice's spoken request, as the app at north answers it."""
    example_module("device")
    tones = import_module("tones")
    recording: bytes = tones.wav("12", rng=random.Random(7))
    headers = {"content-type": "audio/wav"}
    answer = await stage.device("north", "alice").request("POST", f"{HOME}/directions", recording, headers)
    return answer.status, answer.body.decode(errors="replace")
