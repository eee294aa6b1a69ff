"""The journal: never in the way of a call, and all there afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hanse.kit.contract.observe import Observer
from hanse.kit.problems import Problem
from hanse.kit.telemetry.journal import Journal
from hanse.kit.telemetry.journal_file import JournalFile
from hanse.kit.telemetry.reader import read
from tests.bounds import SOON
from tests.unit.kit.telemetry.example import HOSTILE, message


def spans(directory: Path) -> list[str]:
    return [m.span for m in read([directory])]


def test_what_was_seen_can_be_read_after_flush(tmp_path: Path) -> None:
    with Journal(tmp_path / "new" / "folder", "meo") as journal:
        observer: Observer = journal
        observer.saw(message("1", problem="Größe", path="/a b"))
        assert journal.flush(SOON)
        (found,) = read([tmp_path / "new" / "folder"])
    assert found == message("1", problem="Größe", path="/a b")


def test_what_was_seen_is_written_without_flush_within_a_tenth_of_a_second(tmp_path: Path) -> None:
    with Journal(tmp_path, "meo") as journal:
        journal.saw(message("1"))
        deadline = time.monotonic() + SOON
        while not journal.path.exists() or not journal.path.read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.005)


def test_closing_writes_what_waits_and_may_be_repeated(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "meo")
    for i in range(500):
        journal.saw(message(str(i)))
    journal.close()
    journal.close()
    assert len(spans(tmp_path)) == 500
    assert journal.lost == 0


def test_a_message_after_closing_is_counted_as_lost_and_breaks_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "meo")
    journal.close()
    journal.saw(message())
    assert journal.lost == 1


def test_the_threads_of_closed_journals_end(tmp_path: Path) -> None:
    Journal(tmp_path, "brief").close()
    assert "journal brief" not in [t.name for t in threading.enumerate()]


def test_a_journal_continues_after_a_restart(tmp_path: Path) -> None:
    for span in ("first", "second"):
        with Journal(tmp_path, "meo") as journal:
            journal.saw(message(span))
    assert spans(tmp_path) == ["first", "second"]


def test_a_slow_disk_holds_up_no_caller_and_costs_the_oldest_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, released = threading.Event(), threading.Event()
    append = JournalFile.append

    def slow(file: JournalFile, lines: bytes) -> None:
        reached.set()
        released.wait(SOON)
        append(file, lines)

    monkeypatch.setattr(JournalFile, "append", slow)
    with Journal(tmp_path, "meo", capacity=10) as journal:
        journal.saw(message("in the writer's hands"))
        assert reached.wait(SOON)
        for i in range(25):
            journal.saw(message(str(i)))
        assert not journal.flush(timeout=0.01)
        released.set()
        assert journal.flush(SOON)
        assert journal.lost == 15
    assert spans(tmp_path) == ["in the writer's hands", *(str(i) for i in range(15, 25))]


def test_a_disk_that_refuses_costs_only_what_it_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = tmp_path / "place"
    place.write_text("a file where the directory should be")
    with Journal(place, "meo") as journal:
        journal.saw(message("refused"))
        assert journal.flush(SOON)
        assert journal.lost == 1
        place.unlink()
        journal.saw(message("accepted"))
        assert journal.flush(SOON)
    assert spans(place) == ["accepted"]
    assert "1 messages not written" in caplog.text


def test_a_text_that_is_no_unicode_costs_only_its_own_message(tmp_path: Path) -> None:
    with Journal(tmp_path, "meo") as journal:
        journal.saw(message("bad", path=HOSTILE))
        journal.saw(message("good"))
        assert journal.flush(SOON)
        assert journal.lost == 1
    assert spans(tmp_path) == ["good"]


def test_ten_thousand_messages_are_taken_written_and_read_in_seconds(tmp_path: Path) -> None:
    began, here = (
        time.process_time(),
        time.thread_time(),
    )  # not what others work
    with Journal(tmp_path, "meo") as journal:
        for i in range(10_000):
            journal.saw(message(str(i)))
        taken = time.thread_time() - here
        assert journal.flush(timeout=60)
    assert len(spans(tmp_path)) == 10_000
    assert taken < 2, "an event loop would have stood still"
    assert time.process_time() - began < 10


def test_threads_may_share_a_journal(tmp_path: Path) -> None:
    def work(journal: Journal, name: int) -> None:
        for i in range(200):
            journal.saw(message(f"{name}.{i}"))

    with Journal(tmp_path, "meo") as journal:
        workers = [threading.Thread(target=work, args=(journal, name)) for name in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    found = spans(tmp_path)
    assert len(found) == 1600
    for name in range(8):
        assert [span for span in found if span.startswith(f"{name}.")] == [f"{name}.{i}" for i in range(200)]


def test_a_reader_never_sees_half_a_message_while_the_journal_is_written_and_rotated(tmp_path: Path) -> None:
    with Journal(tmp_path, "meo", limit=20_000) as journal:
        for i in range(2_000):
            journal.saw(message(str(i), path="/p" * 20, began=float(i)))
            if i % 200 == 0:
                assert all(m.path == "/p" * 20 for m in read([tmp_path]))
    assert spans(tmp_path)[-1] == "1999"


def test_a_name_cannot_lead_out_of_the_directory(tmp_path: Path) -> None:
    for name in ("../meo", "", ".hidden", "a/b", "a\0b"):
        with pytest.raises(Problem, match="Journal name"):
            Journal(tmp_path, name)


KILLED = """
import sys, time
from pathlib import Path
from hanse.kit.telemetry.journal import Journal
from tests.unit.kit.telemetry.example import message
journal = Journal(Path(sys.argv[1]), "meo")
for i in range(50):
    journal.saw(message(str(i)))
print("seen", flush=True)
time.sleep(60)
"""


def test_a_killed_process_leaves_what_it_saw_a_moment_before(tmp_path: Path) -> None:
    root = Path(__file__).parents[4]
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={"PYTHONPATH": f"{root / 'src'}:{root}"}) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"seen\n"
            deadline = time.monotonic() + SOON
            while len(spans(tmp_path)) < 50 and time.monotonic() < deadline:
                time.sleep(0.02)
        finally:
            process.send_signal(signal.SIGKILL)
    assert len(spans(tmp_path)) == 50
