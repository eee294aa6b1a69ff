"""What a device of U5 does: it sends a spoken request, and can be found by its trace in the operators' journals."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from hanse.elements.ue import Answer, Device
from hanse.kit.contract.observe import Message
from hanse.kit.telemetry.procedures import Procedure
from hanse.scenarios.stage import Stage, example_module
from hanse.scenarios.waiting import awaited


class Asked(NamedTuple):
    """A request of a device: what was said, the answer, and the trace that it began."""

    device: str
    said: str
    answer: Answer
    trace: str

    @property
    def told(self) -> dict[str, Any]:
        """The directions; none if it failed."""
        found: dict[str, Any] = json.loads(self.answer.body) if self.answer.status == 200 else {}
        return found

    @property
    def understood(self) -> bool:
        """Whether what was heard is what was said."""
        return self.told.get("heard") == self.said


async def ask(device: Device, name: str, url: str) -> Asked:
    """Say something new, and wait for the directions."""
    example_module("device")
    tones = import_module("tones")
    said, trace = tones.draw(random.SystemRandom()), secrets.token_hex(16)
    headers = {"content-type": "audio/wav", "traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
    recording = await asyncio.to_thread(tones.wav, said, rng=random.Random(trace))
    return Asked(name, said, await device.request("POST", url, recording, headers), trace)


async def on_record(stage: Stage, *asked: Asked) -> list[Procedure | None]:
    """The procedure of each request, once it is known who served it: journals are written behind the calls."""

    async def look() -> list[Procedure | None]:
        found = await asyncio.to_thread(stage.procedures)
        by_trace = {message.trace: procedure for procedure in found for message in procedure.messages}
        return [by_trace.get(one.trace) for one in asked]

    return await awaited(look, lambda found: all(served_by(crossed(procedure)) for procedure in found))


def crossed(procedure: Procedure | None) -> Sequence[Message]:
    """What crossed reference points for a request; nothing if it is not on record."""
    return procedure.messages if procedure else ()


def served_by(messages: Iterable[Message]) -> str:
    """The southern platform whose app answered; empty if none did."""
    inner = [m.receiver for m in messages if m.operation == "consume" and m.operator == "south"]
    return next((receiver for receiver in inner if receiver.startswith("mep.")), "")
