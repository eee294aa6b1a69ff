"""What must be done is done to its end, whenever a signal comes."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from hanse.assembly.uninterrupted import uninterrupted
from tests.bounds import SOON


@pytest.mark.parametrize("pause", [0, 0.2])
def test_cleaning_up_is_done_to_its_end_though_a_signal_comes(pause: float) -> None:
    done: list[str] = []
    hurried = threading.Event()

    def hurry() -> None:
        done.append("hurried")
        hurried.set()

    def act() -> None:
        time.sleep(pause)
        os.kill(os.getpid(), signal.SIGUSR1)
        hurried.wait(SOON)
        done.append("all")

    def interrupt(*_: object) -> None:
        raise SystemExit(1)

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(SystemExit):
            uninterrupted(act, hurry)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert done == ["hurried", "all"]


def test_what_goes_wrong_in_it_is_told() -> None:
    with pytest.raises(ZeroDivisionError):
        uninterrupted(lambda: 1 / 0)
