"""A service that another host of the same system offers is found before any partner is asked, and consumed over Mp3."""

from __future__ import annotations

import asyncio
import json
import random
from importlib import import_module
from pathlib import Path

from hanse.assembly.administration import administration
from hanse.assembly.onboarding import bring_up
from hanse.kit.problems import Problem
from hanse.scenarios.stage import Stage, example_module
from tests.scenarios.scene import until


async def test_an_app_gets_a_service_of_the_other_host_without_leaving_its_system(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    try:
        await stage.start()
        await _apps_up(stage)
        example_module("device")
        tones = import_module("tones")
        digits = "2746"
        heard = await _asked(stage, tones.wav(digits, rng=random.Random(7)))
        assert heard == digits

        async def written() -> bool:
            return "Mp3" in _crossed(stage)

        await until(written)
        crossed = _crossed(stage)
        assert crossed.isdisjoint({"Mff-fed", "Meo-fed", "Mpp-fed"})
    finally:
        await asyncio.to_thread(stage.clear)


async def _apps_up(stage: Stage) -> None:
    north = stage.operator("north")
    _, speech = await stage.on_board("north", stage.package("speech", "earshot"))
    _, navigation = await stage.on_board("north", stage.package("navigation", "wayfinder"))
    async with administration(north) as oss:
        await bring_up(oss.lifecycle, speech, north.hosts["airport"].zone.zone().position)
        await bring_up(oss.lifecycle, navigation, north.hosts["harbour"].zone.zone().position)


async def _asked(stage: Stage, recording: bytes) -> str:
    """What the app heard; the report of the other host's services may still be on its way."""
    alice = stage.device("north", "alice")
    for _ in range(200):
        answer = await alice.request(
            "POST", "http://navigation.example.com:8080/directions", recording, {"content-type": "audio/wav"}
        )
        if answer.status == 200:
            return str(json.loads(answer.body)["heard"])
        await asyncio.sleep(0.1)
    raise Problem(answer.status, "No directions", answer.body.decode(errors="replace"))


def _crossed(stage: Stage) -> set[str]:
    """The reference points that the last consumption crossed, as far as it is in the journals."""
    found = [p for p in stage.procedures() if any(m.operation == "consume" for m in p.messages)]
    return {message.reference_point for message in found[-1].messages} if found else set()
