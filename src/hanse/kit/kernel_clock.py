"""The kernel's clock: whether something keeps it locked to UTC (Linux: adjtimex, which anyone may ask)."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

STA_UNSYNC = 0x40
TIME_ERROR = 5


class _Timex(ctypes.Structure):
    """``struct timex`` of a 64-bit Linux."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("fraction", ctypes.c_long),
        ("tick", ctypes.c_long),
        ("rest", ctypes.c_long * 16),
    ]


@dataclass(frozen=True)
class ClockReading:
    """What the kernel says of its clock: the state, the status bits, the largest error in µs, the time in Unix s."""

    state: int
    status: int
    largest_error: int
    seconds: int

    @property
    def locked(self) -> bool:
        """Whether a time service holds the clock to UTC."""
        return self.state != TIME_ERROR and not self.status & STA_UNSYNC


def read_clock() -> ClockReading | None:
    """Ask the kernel; ``None`` where it cannot be asked (another system, or a sandbox that forbids it)."""
    found = _Timex()
    try:
        state = int(ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(found)))
    except (OSError, AttributeError):
        return None
    if state < 0:
        return None
    return ClockReading(state, found.status, found.maxerror, found.seconds)
