"""An operation that was begun ends, whatever kills the process that carries it out, and each step is done once."""

from __future__ import annotations

import ast
import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import hanse
from hanse.kit.outbox import Outbox
from hanse.kit.problems import Problem
from hanse.kit.procedures import DurableProcedures, Start
from hanse.kit.store import Store

PROGRAM = Path(__file__).with_name("voyage.py")
KILLED = -signal.SIGKILL
SAILED = ["load salt", "load fur", "cross", "arrive Visby"]
BOUNDARIES = [(moment, step) for step in range(4) for moment in ("before", "after")]

pytestmark = pytest.mark.timeout(600)  # a dozen processes, which write to one disk


@dataclass
class Sea:
    """A directory with what outlives the processes that work in it, and how each of them ended."""

    path: Path
    states: list[dict[str, str]] = field(default_factory=list)

    async def run(self, *voyages: str, newest: int = 1, until: str = "300", kill: str = "", hung: int = 0) -> None:
        """Work on it in a process of its own; killed at a failpoint, or from here when so many steps hang."""
        environment = os.environ | {"PYTHONPATH": str(Path(hanse.__file__).parents[1]), "HANSE_FAILPOINT": kill}
        command = [sys.executable, str(PROGRAM), str(self.path), str(newest), until, *voyages]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=pipe, stderr=pipe)
        try:
            async with asyncio.timeout(300):
                while hung and len(list(self.path.glob("hanging-*"))) < hung:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
                if hung:
                    process.kill()
                output, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode == (KILLED if kill or hung else 0), errors.decode()
        self.states.append(ast.literal_eval(output.decode() or "{}"))

    def fail(self, step: str, voyage: str, *statuses: int | str) -> None:
        (self.path / f"fail-{step}-{voyage}").write_text(" ".join(map(str, statuses)))

    def hang(self, moment: str, step: str, voyage: str) -> None:
        word, *rest = step.split()
        (self.path / "-".join(["hang", moment, word, voyage, *rest])).touch()

    def lines(self, voyage: str) -> list[str]:
        """The steps of a voyage, in order: ``load salt``."""
        steps = (line.partition(" | ")[0].split(" ", 2) for line in (self.path / "log").read_text().splitlines())
        return [" ".join([step[0], *step[2:]]) for step in steps if step[1] == voyage]

    def marks(self, voyage: str) -> list[str]:
        """What each step of a voyage said for itself, in order: idempotency key and trace."""
        pairs = (line.split(" | ") for line in (self.path / "log").read_text().splitlines())
        return [mark for step, mark in pairs if step.split()[1] == voyage]


@dataclass
class History:
    """What happened on each sea."""

    fleet: Sea
    killed: Sea
    cut: Sea
    stopped: Sea
    upgraded: Sea
    buggy: Sea

    @classmethod
    async def of(cls, path: Path) -> History:
        """Let it happen, all at once: most of the time the processes wait."""
        seas = {name: Sea(path / name) for name in cls.__annotations__}
        for sea in seas.values():
            sea.path.mkdir()
        await asyncio.gather(*(globals()[f"_{name}"](sea) for name, sea in seas.items()))
        return cls(**seas)


async def _fleet(sea: Sea) -> None:
    sea.fail("arrive", "refused", 404)
    sea.fail("cross", "patient", 503, 429, 504)
    sea.fail("cross", "becalmed", *[503] * 50)
    sea.fail("load", "faulty", "bug")
    sea.fail("arrive", "leaky", 409)
    sea.fail("unload", "leaky", 400)
    await sea.run("fine", "fine", "refused", "patient", "becalmed", "faulty", "leaky")


async def _killed(sea: Sea) -> None:
    for moment, step in BOUNDARIES:
        sea.hang(moment, SAILED[step], f"{moment}{step}")
    sea.fail("arrive", "undoing", 404)
    sea.hang("after", "unload fur", "undoing")
    await sea.run(*(f"{moment}{step}" for moment, step in BOUNDARIES), "undoing", hung=9)
    await sea.run("new", newest=2)


async def _cut(sea: Sea) -> None:
    await sea.run("adler", kill="store.commit:after@1")
    await sea.run(kill="voyage.step:after@2")
    await sea.run()


async def _stopped(sea: Sea) -> None:
    sea.fail("cross", "adler", *[503] * 50)
    await sea.run("adler", until="0.5")
    sea.fail("cross", "adler")
    await sea.run()


async def _upgraded(sea: Sea) -> None:
    await sea.run("adler", newest=2, kill="voyage.step:before@1")
    await sea.run("hulk", newest=1, until="hulk")
    await sea.run(newest=2)


async def _buggy(sea: Sea) -> None:
    await sea.run("adler", newest=3)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return asyncio.run(History.of(tmp_path_factory.mktemp("seas")))


class TestTroubles:
    def test_an_id_begun_twice_is_one_procedure(self, history: History) -> None:
        assert history.fleet.lines("fine") == SAILED
        assert history.fleet.states[-1]["fine"] == "ARRIVED"

    def test_a_failure_undoes_what_was_done_last_first(self, history: History) -> None:
        *done, wreck = history.fleet.lines("refused")
        assert done == [*SAILED, "turn", "unload fur", "unload salt"]
        assert '"status":404' in wreck
        assert "as planned" in wreck
        assert history.fleet.states[-1]["refused"] == "WRECKED"

    def test_what_may_pass_is_tried_again(self, history: History) -> None:
        assert history.fleet.lines("patient") == [*SAILED[:2], *["cross"] * 4, SAILED[3]]
        assert history.fleet.states[-1]["patient"] == "ARRIVED"

    def test_patience_ends(self, history: History) -> None:
        lines = history.fleet.lines("becalmed")
        assert 3 <= lines.count("cross") <= 7
        assert lines[-4:-1] == ["turn", "unload fur", "unload salt"]
        assert '"status":503' in lines[-1]

    def test_an_error_of_a_step_ends_the_procedure_in_good_order(self, history: History) -> None:
        *done, wreck = history.fleet.lines("faulty")
        assert done == ["load salt", "unload salt"]
        assert '"status":500' in wreck
        assert history.fleet.states[-1]["faulty"] == "WRECKED"

    def test_an_error_in_a_procedures_own_lines_is_a_failure_not_a_silence(self, history: History) -> None:
        *done, wreck = history.buggy.lines("adler")
        assert (done, history.buggy.states[-1]) == (["load gold", "unload gold"], {"adler": "WRECKED"})
        assert "no chart" in wreck

    def test_an_undo_that_fails_does_not_stop_the_others(self, history: History) -> None:
        assert history.fleet.lines("leaky")[4:7] == ["turn", "unload fur", "unload salt"]
        assert history.fleet.states[-1]["leaky"] == "WRECKED"


class TestCrashes:
    @pytest.mark.parametrize(("moment", "step"), BOUNDARIES)
    def test_killed_at_any_step_it_goes_on_where_it_was(self, history: History, moment: str, step: int) -> None:
        expected = list(SAILED)
        if moment == "after":  # it was done, but nothing had recorded that
            expected.insert(step, SAILED[step])
        assert history.killed.lines(f"{moment}{step}") == expected
        assert history.killed.states[-1][f"{moment}{step}"] == "ARRIVED"

    def test_killed_while_undoing_it_undoes_the_rest(self, history: History) -> None:
        assert history.killed.lines("undoing")[4:-1] == ["turn", "unload fur", "unload fur", "unload salt"]
        assert history.killed.states[-1]["undoing"] == "WRECKED"

    def test_what_was_committed_begins_although_the_process_died_at_once(self, history: History) -> None:
        assert history.cut.lines("adler") == [*SAILED[:2], *SAILED[1:]]
        assert history.cut.states == [{}, {}, {"adler": "ARRIVED"}]

    def test_a_step_goes_by_one_key_of_its_own_also_after_a_crash(self, history: History) -> None:
        first, second, again, third, fourth = history.cut.marks("adler")
        assert second == again
        assert len({first, second, third, fourth}) == 4
        assert all(m.startswith("op-adler-") and m.endswith("7" * 32) for m in (first, second, third, fourth))

    def test_a_stop_in_good_order_is_no_failure(self, history: History) -> None:
        lines = history.stopped.lines("adler")
        assert [line for line in lines if line != "cross"] == [*SAILED[:2], SAILED[3]]
        assert history.stopped.states == [{"adler": "SAILING"}, {"adler": "ARRIVED"}]


class TestUpgrades:
    def test_what_is_pending_ends_on_its_old_path_and_what_is_new_takes_the_new(self, history: History) -> None:
        assert history.killed.lines("before2") == SAILED
        assert history.killed.lines("new") == ["arrive by air"]

    def test_a_version_that_is_not_known_waits_until_it_is(self, history: History) -> None:
        waiting = {"adler": "SAILING", "hulk": "ARRIVED"}
        assert history.upgraded.states == [{}, waiting, {"adler": "ARRIVED", "hulk": "ARRIVED"}]
        assert history.upgraded.lines("adler") == ["arrive by air"]


async def test_a_beginning_waits_while_procedures_do_not_run(tmp_path: Path) -> None:
    store = Store()
    outbox, procedures = Outbox(store), DurableProcedures(tmp_path / "p.db", "x")
    start = Start(procedure_id="1", name="sail", version=1, subject="adler")
    await store.commit(lambda tx: procedures.begin(tx, outbox, start))
    (event,) = outbox._events.values()
    with pytest.raises(Problem, match="503"):
        await procedures.launch(event.body.encode())
    await procedures.close()
    store.close()
