"""A process of an operator: starts the chosen elements, says when it is ready, stops on a signal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from pathlib import Path

from hanse.assembly.builders import build
from hanse.assembly.catalogue import Element, chosen
from hanse.assembly.servers import listeners
from hanse.assembly.settings import Settings, load
from hanse.assembly.wiring import Wiring, process_name
from hanse.drivers.compute_process.processes import identify
from hanse.kit import descriptors
from hanse.kit.problems import Problem
from hanse.kit.telemetry.journal import Journal

log = logging.getLogger("hanse.process")


class Process:
    """One process: its elements from start to stop."""

    def __init__(self, settings: Settings, elements: list[Element]) -> None:
        self._settings = settings
        self._elements = elements
        self.name = process_name(elements)
        self._recorded = False
        """Whether the record is ours: it may be that of a process which runs already, and is in our way."""

    @property
    def record(self) -> Path:
        """The file that says that this process is ready, and which it is."""
        return self._settings.directory / "run" / f"{self.name}.json"

    async def run(self, stopping: asyncio.Event) -> None:
        """Start, be ready, wait to be stopped, stop. A signal in the middle of starting stops at once."""
        limit = self._settings.retention.journal_bytes
        journal = Journal(self._settings.directory / "journal", self.name, limit=limit)
        wiring = await asyncio.to_thread(Wiring, self._settings, self._elements, journal)
        try:
            await _unless(stopping, self._start(wiring, stopping))
        finally:
            if self._recorded:
                self.record.unlink(missing_ok=True)
            await wiring.stop()
            await asyncio.to_thread(journal.close)

    async def _start(self, wiring: Wiring, stopping: asyncio.Event) -> None:
        built = build(wiring)
        serving = listeners(built)
        try:
            for listener in serving:
                await listener.start()
            await wiring.start()
            await asyncio.to_thread(self._say_ready)
            await stopping.wait()
        finally:
            await asyncio.gather(*(listener.close() for listener in serving))

    def _say_ready(self) -> None:
        self.record.parent.mkdir(parents=True, exist_ok=True)
        names = [element.name for element in self._elements]
        about = {**identify(os.getpid())._asdict(), "elements": names, "config": self._settings.path}
        part = self.record.with_suffix(".part")
        self._recorded = True
        part.write_text(json.dumps(about))
        part.replace(self.record)


async def _unless(stopping: asyncio.Event, work: object) -> None:
    """Do ``work``; if ``stopping`` is set while it has not ended by itself, cancel it."""
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not task.done():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(task), 10.0)
    if not task.done():
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def run(settings: Settings, names: list[str]) -> None:
    """Run elements in this process until SIGTERM or SIGINT."""
    import uvloop

    descriptors.allow_plenty()
    process = Process(settings, chosen(settings, names))

    async def main() -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        await process.run(stopping)

    uvloop.run(main())


def main() -> None:
    """``python -m hanse.assembly.process CONFIG ELEMENT…``: as ``hanse run``, without loading the command line."""
    try:
        run(load(Path(sys.argv[1])), sys.argv[2:])
    except Problem as problem:
        print(f"{problem.title}: {problem.detail}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
