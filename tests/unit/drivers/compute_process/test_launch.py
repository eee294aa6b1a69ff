"""How a supervisor's answer is heard, on the loop that operators run on."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest
import uvloop

from hanse.drivers.compute_process import launch

ANSWERS = 1000
READERS = 3
"""Threads that open files meanwhile, as those of the stores do."""

pytestmark = pytest.mark.timeout(120)


def test_hearing_an_answer_closes_no_file_of_another_thread() -> None:
    over, troubles = threading.Event(), list[OSError]()

    def read_files() -> None:
        while not over.is_set():
            try:
                with open("/proc/self/stat", "rb", buffering=0) as file:
                    os.fstat(file.fileno())
                    file.read()
            except OSError as error:
                troubles.append(error)

    async def hear_answers() -> None:
        for _ in range(ANSWERS):
            reads, writes = os.pipe()
            os.write(writes, b"running\n")
            os.close(writes)
            assert await launch._first_line(reads) == b"running\n"

    threads = [threading.Thread(target=read_files) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        uvloop.run(hear_answers())
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert troubles == []


def test_a_supervisor_that_says_nothing_is_heard_to_have_ended() -> None:
    reads, writes = os.pipe()
    os.close(writes)
    assert uvloop.run(launch._first_line(reads)) == b""
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reads)


def test_an_answer_that_comes_in_parts_is_heard_whole() -> None:
    reads, writes = os.pipe()

    async def hear() -> bytes:
        hearing = asyncio.create_task(launch._first_line(reads))
        for part in (b"run", b"ning", b"\n"):
            await asyncio.sleep(0.01)
            os.write(writes, part)
        return await hearing

    try:
        assert uvloop.run(hear()) == b"running\n"
    finally:
        os.close(writes)


def test_a_supervisor_that_hangs_is_waited_for_so_long_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_PATIENCE", 0.05)
    reads, writes = os.pipe()
    try:
        assert uvloop.run(launch._first_line(reads)) == b""
    finally:
        os.close(writes)
