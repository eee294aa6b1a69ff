"""What every compute driver owes the VIM (Mm7), tried with real workloads. A new driver adds a `Bench` of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Protocol

import pytest

from hanse.drivers.compute_fake import FakeCompute, Machine
from hanse.drivers.compute_process.driver import ProcessCompute
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mm7 import Compute, Limits, Workload, WorkloadEvent, WorkloadState, WorkloadStatus
from tests.bounds import SOON

RUNNING, EXITED, CREATED = WorkloadState.RUNNING, WorkloadState.EXITED, WorkloadState.CREATED
ID = "app-1"


class Bench(Protocol):
    """A driver under test, and the programs that show what it does, in whatever form it runs them."""

    def compute(self) -> Compute:
        """The driver as a VIM makes it; a second one stands for the VIM after a restart."""

    def source(self) -> Path:
        """An image with the programs."""

    def command(self, program: str) -> tuple[str, ...]:
        """How the program of this name is run."""


class ProcessBench:
    """Programs are scripts in Python."""

    PROGRAMS = {
        "serve": "import time; print('serving'); time.sleep(600)",
        "three": "print('last words'); raise SystemExit(3)",
        "flood": "while True: print('x' * 5000)",
        "deaf": "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(600)",
        "tidy": "import signal, time, sys; signal.signal(15, lambda *_: sys.exit(7)); print('tidy'); time.sleep(600)",
        "greedy": "print('asking'); data = bytearray(900 << 20); print('got', 'it')",
        "tell": "import os; print(os.environ['GREETING'], open('conf/a.txt').read(), sorted(os.environ))",
    }

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def compute(self) -> Compute:
        return ProcessCompute(self._directory / "compute")

    def source(self) -> Path:
        source = self._directory / "source"
        source.mkdir(exist_ok=True)
        for name, text in self.PROGRAMS.items():
            (source / f"{name}.py").write_text(text)
        return source

    def command(self, program: str) -> tuple[str, ...]:
        return ("python3", f"{program}.py")


class FakeBench:
    """Programs are the words of a command; the machine is what a restarted VIM finds again."""

    PROGRAMS = {
        "serve": ("say=serving",),
        "three": ("say=last words", "exit=3"),
        "flood": ("flood",),
        "deaf": ("say=deaf", "deaf"),
        "tidy": ("say=tidy", "obey=7"),
        "greedy": ("say=asking", "take=900", "say=got it"),
        "tell": ("tell", "exit=0"),
    }

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._machine = Machine()

    def compute(self) -> Compute:
        return FakeCompute(self._machine)

    def source(self) -> Path:
        source = self._directory / "source"
        source.mkdir(exist_ok=True)
        (source / "process.json").write_text("{}")
        return source

    def command(self, program: str) -> tuple[str, ...]:
        return self.PROGRAMS[program]


@pytest.fixture(params=[ProcessBench, FakeBench], ids=["process", "fake"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    made: Bench = request.param(tmp_path)
    return made


@pytest.fixture
async def compute(bench: Bench) -> AsyncIterator[Compute]:
    """The driver with the image ``programs``; whatever a test leaves running is ended."""
    driver = bench.compute()
    await driver.prepare("programs", bench.source())
    yield driver
    await driver.close()
    last = bench.compute()
    for status in await last.list():
        await last.delete(status.instance_id)
    await last.close()


@pytest.fixture
def workload(bench: Bench) -> Callable[..., Workload]:
    def make(program: str, instance_id: str = ID, **more: object) -> Workload:
        command = bench.command(program)
        return Workload(
            instance_id=instance_id,
            image_id="programs",
            command=command,
            address="127.9.0.1",
            **more,  # type: ignore[arg-type]
        )

    return make


Make = Callable[..., Workload]


async def run(compute: Compute, workload: Workload) -> WorkloadStatus:
    await compute.create(workload)
    return await compute.start(workload.instance_id)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(1000):
        if await condition():
            return
        await asyncio.sleep(0.02)
    pytest.fail("it did not come to pass in 20 seconds")


async def said(compute: Compute, words: bytes, instance_id: str = ID) -> None:
    async def heard() -> bool:
        return words in await compute.output(instance_id)

    await until(heard)


async def exited(compute: Compute, instance_id: str = ID) -> WorkloadStatus:
    async def over() -> bool:
        return (await compute.status(instance_id)).state is EXITED

    await until(over)
    return await compute.status(instance_id)


async def next_event(compute: Compute) -> WorkloadEvent:
    async with asyncio.timeout(20):
        return await anext(aiter(compute.events()))


async def no_event(compute: Compute) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await anext(aiter(compute.events()))


def on_disk(directory: Path, name: str) -> int:
    while True:
        with contextlib.suppress(FileNotFoundError):  # one that was found was renamed before it was looked at
            return sum(path.stat().st_size for path in directory.rglob(f"{name}*"))


def traces(directory: Path, *words: str) -> list[Path]:
    return [path for path in directory.rglob("*") if any(word in path.name for word in words)]


async def test_an_app_goes_from_created_to_running_to_exited(compute: Compute, workload: Make) -> None:
    await compute.create(workload("serve"))
    assert (await compute.status(ID)).state is CREATED
    started = await compute.start(ID)
    assert started.state is RUNNING
    assert started == await compute.status(ID)
    stopped = await compute.stop(ID, 5)
    assert stopped.state is EXITED
    assert stopped.exit is not ABSENT


async def test_the_app_finds_its_files_and_its_environment_and_not_the_vims(
    compute: Compute, workload: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_VIM", "x")
    await run(compute, workload("tell", environment={"GREETING": "moin"}, files={"conf/a.txt": "from a file"}))
    assert (await exited(compute)).exit != ABSENT
    output = await compute.output(ID)
    assert output.startswith(b"moin from a file")
    assert b"SECRET" not in output


async def test_creating_twice_is_one_workload(compute: Compute, workload: Make) -> None:
    await compute.create(workload("serve"))
    await compute.create(workload("serve"))
    assert [status.instance_id for status in await compute.list()] == [ID]


async def test_an_id_in_use_does_not_silently_become_another_workload(compute: Compute, workload: Make) -> None:
    await compute.create(workload("serve"))
    with pytest.raises(Problem, match=f"{ID} exists") as caught:
        await compute.create(workload("flood"))
    assert caught.value.status == 409


async def test_starting_twice_leaves_the_running_app_alone(compute: Compute, workload: Make) -> None:
    first = await run(compute, workload("serve"))
    assert await compute.start(ID) == first


async def test_twenty_starts_at_once_run_one_app(compute: Compute, workload: Make) -> None:
    await compute.create(workload("serve"))
    started = await asyncio.gather(*(compute.start(ID) for _ in range(20)))
    await said(compute, b"serving")
    assert len({status.pid for status in started}) == 1
    assert (await compute.output(ID)).count(b"serving") == 1


async def test_an_app_that_exited_can_be_started_anew(compute: Compute, workload: Make) -> None:
    await run(compute, workload("three"))
    await exited(compute)
    await compute.start(ID)
    await exited(compute)
    assert (await compute.output(ID)).count(b"last words") == 2


async def test_an_app_that_ends_by_itself_is_reported_with_its_exit_code(compute: Compute, workload: Make) -> None:
    await run(compute, workload("three"))
    event = await next_event(compute)
    assert (event.instance_id, event.state) == (ID, EXITED)
    assert event.exit is not ABSENT
    assert event.exit.exit_code == 3
    assert b"last words" in await compute.output(ID)


async def test_an_app_that_was_stopped_on_request_raises_no_alarm(compute: Compute, workload: Make) -> None:
    await run(compute, workload("serve"))
    await compute.stop(ID, 5)
    await no_event(compute)


async def test_an_app_may_finish_within_its_grace(compute: Compute, workload: Make) -> None:
    await run(compute, workload("tidy"))
    await said(compute, b"tidy")
    ended = (await compute.stop(ID, SOON)).exit
    assert ended is not ABSENT
    assert ended.exit_code == 7


async def test_an_app_that_will_not_stop_is_made_to_after_its_grace(compute: Compute, workload: Make) -> None:
    await run(compute, workload("deaf"))
    await said(compute, b"deaf")
    ended = (await compute.stop(ID, 0.2)).exit
    assert ended is not ABSENT
    assert ended.signal == 9


async def test_stopping_what_does_not_run_is_no_error(compute: Compute, workload: Make) -> None:
    await compute.create(workload("serve"))
    assert (await compute.stop(ID, 1)).state is CREATED
    await compute.start(ID)
    assert await compute.stop(ID, 1) == await compute.stop(ID, 1)


async def test_a_flooding_app_neither_fills_the_disk_nor_stands_still(
    compute: Compute, workload: Make, tmp_path: Path
) -> None:
    await run(compute, workload("flood", limits=Limits(output=20_000)))

    async def full() -> bool:
        return len(await compute.output(ID)) == 20_000

    await until(full)
    assert [len(await compute.output(ID)) for _ in range(20)] == [20_000] * 20
    assert on_disk(tmp_path, "output") <= 40_000
    assert (await compute.status(ID)).state is RUNNING
    assert (await compute.stop(ID, 5)).state is EXITED


async def test_an_app_cannot_take_more_memory_than_it_was_given(compute: Compute, workload: Make) -> None:
    await run(compute, workload("greedy", limits=Limits(memory=256 << 20)))
    await exited(compute)
    assert b"asking" in await compute.output(ID)
    assert b"got it" not in await compute.output(ID)


async def test_apps_run_on_while_the_vim_is_away_and_are_found_again(
    bench: Bench, compute: Compute, workload: Make
) -> None:
    before = await run(compute, workload("serve"))
    await compute.close()
    again = bench.compute()
    assert await again.list() == [before]
    assert await again.start(ID) == before
    assert (await again.stop(ID, 5)).state is EXITED
    await again.close()


async def test_an_exit_while_the_vim_was_away_is_reported_once(bench: Bench, compute: Compute, workload: Make) -> None:
    await compute.create(workload("three"))
    await compute.start(ID)
    await compute.close()
    await exited(compute)
    second, third = bench.compute(), bench.compute()
    events = aiter(second.events())
    assert (await anext(events)).instance_id == ID
    more = asyncio.ensure_future(anext(events))  # asking for the next says that the first was dealt with
    await asyncio.sleep(0.2)
    await second.close()
    with pytest.raises(StopAsyncIteration):
        await more
    await no_event(third)
    await third.close()


async def test_an_exit_that_nobody_dealt_with_is_reported_again(bench: Bench, compute: Compute, workload: Make) -> None:
    await run(compute, workload("three"))
    first = await next_event(compute)
    await compute.close()
    again = bench.compute()
    assert await next_event(again) == first
    await again.close()


async def test_delete_ends_the_app_and_leaves_nothing(compute: Compute, workload: Make, tmp_path: Path) -> None:
    await run(compute, workload("deaf", files={"secret": "token"}))
    await said(compute, b"deaf")
    await compute.delete(ID)
    assert await compute.list() == []
    assert traces(tmp_path, ID, "secret") == []
    await compute.delete(ID)
    await no_event(compute)


async def test_an_id_can_be_used_anew_after_delete(compute: Compute, workload: Make) -> None:
    await run(compute, workload("serve"))
    await compute.delete(ID)
    await run(compute, workload("three"))
    await exited(compute)
    assert b"serving" not in await compute.output(ID)


async def test_what_is_unknown_is_said_to_be(compute: Compute, workload: Make) -> None:
    calls = (compute.start("no"), compute.stop("no", 1), compute.status("no"), compute.output("no"))
    for call in calls:
        with pytest.raises(Problem, match="No such workload") as caught:
            await call
        assert caught.value.status == 404


async def test_a_workload_without_its_image_is_refused_by_name(compute: Compute, workload: Make) -> None:
    await compute.create(workload("serve"))
    await compute.discard("programs")
    await compute.discard("programs")
    for call in (compute.start(ID), compute.create(workload("serve", instance_id="other"))):
        with pytest.raises(Problem, match="there is no image programs") as caught:
            await call
        assert caught.value.status == 404


@pytest.mark.parametrize("bad", ["", ".", "..", "../x", "a/b", "/etc", "a\0b", "a\n", "x" * 129, "ä", ".hidden"])
async def test_an_id_is_never_a_path(compute: Compute, workload: Make, tmp_path: Path, bad: str) -> None:
    calls = (
        compute.create(workload("serve", instance_id=bad)),
        compute.start(bad),
        compute.stop(bad, 0),
        compute.delete(bad),
        compute.status(bad),
        compute.output(bad),
        compute.prepare(bad, tmp_path / "source"),
        compute.discard(bad),
    )
    for call in calls:
        with pytest.raises(Problem) as caught:
            await call
        assert caught.value.status == 400


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "a/../../outside", ""])
async def test_a_file_is_never_written_outside_of_the_app(compute: Compute, workload: Make, path: str) -> None:
    with pytest.raises(Problem, match="files") as caught:
        await compute.create(workload("serve", files={path: "x"}))
    assert caught.value.status == 400


async def test_preparing_an_image_twice_gives_the_same_image(compute: Compute, bench: Bench) -> None:
    first = await compute.prepare("programs", bench.source())
    assert first == await compute.prepare("programs", Path("/no/such/source"))
    assert len(first.sha256) == 64


async def test_a_driver_says_what_it_is_and_what_it_lacks(compute: Compute) -> None:
    found = await compute.capabilities()
    assert found.available
    assert found.kind
    assert all(reason for reason in found.lacks.values())


async def test_apps_do_not_get_in_each_others_way(compute: Compute, workload: Make) -> None:
    names = [f"app-{n}" for n in range(5)]
    await asyncio.gather(*(run(compute, workload("serve", instance_id=name)) for name in names))
    await compute.stop("app-2", 5)
    states = {status.instance_id: status.state for status in await compute.list()}
    assert states == {name: EXITED if name == "app-2" else RUNNING for name in names}
