"""A share of the processor, held without privileges: a workload that is ahead of its share is stopped until it is not.

Standard library only. Counted is the first process of the workload with all its threads; its group is stopped with it.
"""

from __future__ import annotations

import signal
import time

from hanse.drivers.compute_process.processes import kill

_LOOK = 0.05
_BURST = 0.1
_SCHEDULED = 2


def clock_of(pid: int) -> int:
    """The clock of the processor time of another process, in the numbering of the kernel (clock_getcpuclockid(3))."""
    return (~pid << 3) | _SCHEDULED


class Share:
    """Credit in seconds of processor time: it grows with time at the rate of the share, and is spent by running.

    ``milli`` is in thousandths of one core, 0 for no bound.
    """

    def __init__(self, pid: int, milli: int) -> None:
        self._pid, self._rate = pid, milli / 1000
        self._credit, self._stopped = _BURST, False
        self._at, self._used = time.monotonic(), 0.0

    def pace(self) -> float | None:
        """Stop the workload or let it go on, as it deserves; returns the milliseconds until the next look.

        ``None``: never, it has no bound or is gone.
        """
        if not self._rate or not self._account():
            return None
        if self._stopped != (self._credit < 0):
            self._stopped = not self._stopped
            kill(-self._pid, signal.SIGSTOP if self._stopped else signal.SIGCONT)
        return 1000 * max(_LOOK, -self._credit / self._rate)

    def _account(self) -> bool:
        try:
            used = time.clock_gettime(clock_of(self._pid))
        except OSError:
            return False
        now = time.monotonic()
        self._credit = min(_BURST, self._credit + (now - self._at) * self._rate - (used - self._used))
        self._at, self._used = now, used
        return True

    def forgive(self) -> None:
        """Let it go on at once, with its full burst: it is asked to end and cannot hear it while it is stopped."""
        self._credit, self._stopped = _BURST, False
        if self._rate:
            kill(-self._pid, signal.SIGCONT)
