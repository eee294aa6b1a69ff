"""Many devices at once: each is served by the platform that is right for its own place, whoever else asks meanwhile."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

from hanse.elements.ue import Device
from hanse.kit.telemetry.procedures import Procedure
from hanse.scenarios.outcome import Record
from hanse.scenarios.stage import Stage, example_module

TIMES = 6
"""Requests of each device."""
_PATIENCE, _LOOK_EVERY = 15.0, 0.3
"""Seconds: until what has been answered stands in the journals, which are written behind the calls."""


class Asked(NamedTuple):
    """A request of a device: what was said, what was heard (empty: it failed), and the trace that it began."""

    device: str
    said: str
    heard: str
    trace: str


async def ask_at_once(stage: Stage, record: Record, url: str, right: Mapping[str, str]) -> None:
    """Let several northern devices ask at the same time, interleaved; ``right`` is the platform for each of them."""
    record.step(f"{' and '.join(right)} ask at the same time, {TIMES} times each")
    asking = [_ask(stage.device("north", name), name, url) for _ in range(TIMES) for name in right]
    asked = await asyncio.gather(*asking)
    heard = [one for one in asked if one.heard == one.said]
    record.check(
        "everybody is told what belongs to his own request", len(heard) == len(asked), f"{len(heard)} of {len(asked)}"
    )
    served = await _journalled(stage, asked)
    wrong = [
        f"{one.device} by {at or 'nobody'}" for one, at in zip(asked, served, strict=True) if at != right[one.device]
    ]
    detail = ", ".join(wrong) or ", ".join(f"{name} always by {at}" for name, at in right.items())
    record.check("each is served near to his own place, also at the same time", not wrong, detail)


async def _journalled(stage: Stage, asked: Sequence[Asked]) -> list[str]:
    """Who served each, once that is on record for all."""
    end = time.monotonic() + _PATIENCE
    while "" in (served := served_by(await asyncio.to_thread(stage.procedures), asked)) and time.monotonic() < end:
        await asyncio.sleep(_LOOK_EVERY)
    return served


def served_by(procedures: Sequence[Procedure], asked: Sequence[Asked]) -> list[str]:
    """For each request the southern platform whose app answered it; empty where none did."""
    by_trace = {message.trace: procedure for procedure in procedures for message in procedure.messages}
    return [_platform(by_trace[one.trace]) if one.trace in by_trace else "" for one in asked]


def _platform(procedure: Procedure) -> str:
    inner = [m.receiver for m in procedure.messages if m.operation == "consume" and m.operator == "south"]
    return next((receiver for receiver in inner if receiver.startswith("mep.")), "")


async def _ask(device: Device, name: str, url: str) -> Asked:
    example_module("device")
    tones = import_module("tones")
    said, trace = tones.draw(random.SystemRandom()), secrets.token_hex(16)
    headers = {"content-type": "audio/wav", "traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
    recording = await asyncio.to_thread(tones.wav, said, rng=random.Random(trace))
    answer = await device.request("POST", url, recording, headers)
    told = json.loads(answer.body) if answer.status == 200 else {}
    return Asked(name, said, str(told.get("heard", "")), trace)
