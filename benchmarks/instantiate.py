"""``instantiate``: from the request on Mm1's operation until the speech example is STARTED, at a one-process operator.

The floor does only what cannot be left out: the process driver's create and start of the same image, the application's
own start until it confirms ready (at a tiny stand-in for Mp1), and as many durable commits and procedure steps as the
operator really made, counted in its files. CPU time is that of the operator (or the floor), supervisor and application.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import bare_steps
from benchmarks.durable import Made, count
from benchmarks.processes import below, cpu_of, cpu_seconds, serving
from benchmarks.report import ROUNDS, Report, Target, Tell, ratio_of, spread
from hanse.assembly.administration import Administration, administration
from hanse.assembly.catalogue import elements
from hanse.assembly.identities import Identities
from hanse.assembly.onboarding import ended, take_down
from hanse.assembly.workloads import workload_processes
from hanse.refpoints.mm1.lifecycle import CreateAppInstanceRequest, InstantiateAppRequest
from hanse.scenarios.stage import EXAMPLES, Stage

TARGETS = {"bare_steps": Target(bound=1.5, kind="at most")}
FLOOR_PORT, FLOOR_APP_PORT = 18643, 18644
IMAGE = EXAMPLES / "speech" / "Artifacts" / "Images" / "speech"


class Size(msgspec.Struct, frozen=True):
    """How large a run is."""

    rounds: int = ROUNDS


def run(tell: Tell, size: Size | None = None) -> Report:
    """Measure and compare."""
    with tempfile.TemporaryDirectory(prefix="hanse-bench-") as directory, ExitStack() as stack:
        stage = Stage(Path(directory))
        stack.callback(stage.clear)
        return asyncio.run(_Bench(stage, size or Size(), tell).run(stack))


class _Bench:
    def __init__(self, stage: Stage, size: Size, tell: Tell) -> None:
        self._stage, self._size, self._tell = stage, size, tell
        self._south = stage.operator("south")
        self._cpu: dict[str, list[float]] = {"hanse": [], "bare": [], "operator": [], "application": []}
        self._wall: dict[str, list[float]] = {"hanse": [], "bare": []}

    async def run(self, stack: ExitStack) -> Report:
        await self._stage.start()
        self._pid = next(r.pid for r in self._stage.deployment.running() if r.operator == "south")
        archive = await asyncio.to_thread(self._stage.package, "speech", "earshot")
        descriptor = (await self._stage.on_board("south", archive))[1]
        async with administration(self._south) as oss:
            made = await self._warm_up(oss, descriptor)
            floor = stack.enter_context(serving("benchmarks.bare_steps", self._floor_plan(made)))
            self._bare_round(floor)
            for series in (*self._cpu.values(), *self._wall.values()):
                series.clear()
            for number in range(self._size.rounds):
                self._bare_round(floor)
                await self._hanse_round(oss, descriptor)
                cpu = {name: round(series[-1] * 1e3) for name, series in self._cpu.items()}
                self._tell(f"round {number + 1}: ms of CPU: {cpu}")
        return self._report(made)

    async def _warm_up(self, oss: Administration, descriptor: str) -> Made:
        """The first one lays the image out; the second one is counted."""
        await self._hanse_round(oss, descriptor)
        before = count(self._south.directory)
        await self._hanse_round(oss, descriptor, leave=lambda: count(self._south.directory))
        after = self._left
        assert isinstance(after, Made)
        return after - before

    async def _hanse_round(self, oss: Administration, descriptor: str, leave: Any = None) -> None:
        at_rest = await self._at_rest()
        created = await oss.lifecycle.create_instance(CreateAppInstanceRequest(app_d_id=descriptor))
        identifier = created.value.id
        before, began = cpu_seconds(self._pid, children=True), time.monotonic()
        accepted = await oss.lifecycle.instantiate(identifier, InstantiateAppRequest())
        await asyncio.sleep(0.2)
        operation = await ended(oss.lifecycle, accepted, 30.0)
        seconds = time.monotonic() - began
        operator = cpu_seconds(self._pid, children=True) - before - at_rest * seconds
        application = cpu_of(workload_processes(self._south))
        self._left = leave() if leave is not None else None
        self._note("hanse", operator + application, _seconds(operation))
        self._cpu["operator"].append(operator)
        self._cpu["application"].append(application)
        await take_down(oss.lifecycle, identifier)

    async def _at_rest(self) -> float:
        """CPU seconds a second of the operator when nothing is asked of it."""
        await asyncio.sleep(0.3)
        before = cpu_seconds(self._pid, children=True)
        await asyncio.sleep(1.0)
        return cpu_seconds(self._pid, children=True) - before

    def _bare_round(self, floor: Any) -> None:
        before = cpu_seconds(floor.pid, children=True)
        floor.stdin.write(b"once\n")
        floor.stdin.flush()
        told = msgspec.json.decode(floor.stdout.readline(), type=bare_steps.Told)
        own = cpu_seconds(floor.pid, children=True) - before
        self._note("bare", own + cpu_of(below(self._stage.directory / "floor" / "vim")), told.seconds)
        floor.stdin.write(b"done\n")
        floor.stdin.flush()
        floor.stdout.readline()

    def _note(self, name: str, cpu: float, wall: float) -> None:
        self._cpu[name].append(cpu)
        self._wall[name].append(wall)

    def _floor_plan(self, made: Made) -> bytes:
        element = elements(self._south)["mep.valley" if "valley" in self._south.hosts else "mep.summit"]
        identities = Identities(self._south)
        identity = identities.of_element(element)
        plan = bare_steps.Plan(
            directory=str(self._stage.directory / "floor"),
            image=str(IMAGE),
            host=element.address,
            port=FLOOR_PORT,
            app_port=FLOOR_APP_PORT,
            certificate=str(identity.certificate_path),
            key=str(identity.key_path),
            authority=str(identities.authority_path),
            made=made,
        )
        return msgspec.json.encode(plan)

    def _report(self, made: Made) -> Report:
        return Report(
            bench="instantiate",
            figures={
                "cpu_seconds": spread(self._cpu["hanse"]),
                "of_it_operator": spread(self._cpu["operator"]),
                "of_it_application": spread(self._cpu["application"]),
                "wall_seconds": spread(self._wall["hanse"]),
                "commits": made.commits,
                "durable_steps": made.steps,
            },
            floor={"cpu_seconds": spread(self._cpu["bare"]), "wall_seconds": spread(self._wall["bare"])},
            ratio={
                "bare_steps": ratio_of(self._cpu["hanse"], self._cpu["bare"]),
                "bare_steps_wall": ratio_of(self._wall["hanse"], self._wall["bare"]),
            },
        )


def _seconds(operation: Any) -> float:
    """How long an operation took, by its own times: how often it was asked for does not matter."""
    start, end = operation.start_time, operation.state_entered_time
    return float(end.seconds - start.seconds + (end.nano_seconds - start.nano_seconds) / 1e9)
