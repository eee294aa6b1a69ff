"""What an element of this process has begun is begun, however long what carries it out takes to be there."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path

import pytest

from hanse.assembly.catalogue import elements
from hanse.assembly.deployment import TEMPLATES
from hanse.assembly.settings import parse
from hanse.assembly.wiring import Wiring
from hanse.kit.contract.observe import Silence
from hanse.kit.procedures import Start


async def test_a_committed_beginning_of_a_procedure_is_never_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tomllib.loads((TEMPLATES / "two-operators" / "north.toml").read_text())
    settings = parse(raw, tmp_path / "north.toml")
    element = elements(settings)["meo"]
    wiring = Wiring(settings, [element], Silence())
    store = wiring.store(element)
    outbox = wiring.outbox(store)
    monkeypatch.setattr(outbox, "_give_up_after", 0.0)  # what everything else is given up after
    start = Start(procedure_id="p", name="meo.onboard", version=1, subject="package")
    await outbox.start()
    await store.commit(lambda tx: wiring.procedures.begin(tx, outbox, start))  # while procedures do not run yet
    await asyncio.sleep(0.3)
    assert [event.topic for event in outbox._events.values()] == ["procedure"]
    await wiring.stop()
