"""What a process writes of itself fills no disk, and not a line of it is lost when a new file is begun."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hanse.assembly.log_file import LogFile

WRITER = """
import os, sys, threading
from pathlib import Path
from hanse.assembly.log_file import LogFile
log = LogFile(Path(sys.argv[1]), 20_000)
turned = threading.Event()
written = {}
def write(name):
    number = 0
    while not (turned.is_set() and number > 300):
        os.write(2, f"{name} {number:06d} {'x' * 40}\\n".encode())
        number += 1
    written[name] = number
threads = [threading.Thread(target=write, args=(name,)) for name in ("a", "b")]
for thread in threads: thread.start()
while not log.turn_over(): pass
turned.set()
for thread in threads: thread.join()
print("written", written["a"], written["b"], flush=True)
"""


def test_a_full_file_is_put_aside_while_others_write_and_no_line_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "all.log"
    with path.open("ab") as output:
        subprocess.run([sys.executable, "-c", WRITER, str(path)], stdout=output, stderr=output, check=True, timeout=100)
    older, newer = (tmp_path / "all.log.1").read_text(), path.read_text()
    *lines, last = (older + newer).splitlines()
    word, *written = last.split()
    assert word == "written", "both outputs go to the new file"
    for name, count in zip(("a", "b"), written, strict=True):
        assert [line.split()[1] for line in lines if line.startswith(name)] == [f"{n:06d}" for n in range(int(count))]


def test_a_file_that_is_not_what_this_process_writes_to_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "all.log"
    path.write_bytes(b"x" * 1000)
    assert not LogFile(path, 10).turn_over()
    assert path.stat().st_size == 1000
    assert not LogFile(tmp_path / "none.log", 10).turn_over()


@pytest.mark.parametrize(("limit", "files"), [(10, ["all.log", "all.log.1"]), (100_000, ["all.log"])])
def test_only_a_full_file_is_put_aside_and_only_one_is_kept(tmp_path: Path, limit: int, files: list[str]) -> None:
    path = tmp_path / "all.log"
    program = f"""
from pathlib import Path
from hanse.assembly.log_file import LogFile
for _ in range(3):
    print("a line of some length", flush=True)
    LogFile(Path({str(path)!r}), {limit}).turn_over()
"""
    with path.open("ab") as output:
        subprocess.run([sys.executable, "-c", program], stdout=output, check=True, timeout=100)
    assert sorted(file.name for file in tmp_path.iterdir()) == files
