"""The platform does not call its clock traceable when nothing keeps it to UTC."""

from __future__ import annotations

import ctypes
import time

import pytest

from hanse.kit import kernel_clock
from hanse.kit.kernel_clock import STA_UNSYNC, TIME_ERROR, ClockReading, read_clock


def test_the_kernel_is_read_where_it_says_what_it_says() -> None:
    reading = read_clock()
    assert reading is not None, "adjtimex can be asked on this machine"
    assert abs(reading.seconds - time.time()) < 2, "the time in it proves the layout of what was read"
    assert 0 <= reading.state <= TIME_ERROR
    assert reading.largest_error >= 0


def test_the_structure_is_as_long_as_the_kernels() -> None:
    assert ctypes.sizeof(kernel_clock._Timex) >= 208, "the kernel would write behind it"


@pytest.mark.parametrize(
    ("state", "status", "locked"),
    [(0, 0, True), (1, 0x1, True), (0, STA_UNSYNC, False), (TIME_ERROR, 0, False), (TIME_ERROR, STA_UNSYNC, False)],
)
def test_only_a_synchronised_clock_counts_as_locked(state: int, status: int, locked: bool) -> None:
    assert ClockReading(state, status, 500, 0).locked is locked
