"""Mp1, time of day, as the platform provides it (ETSI GS MEC 011 V3.1.1, 7.2.5 and 7.2.6)."""

from __future__ import annotations

import time
from collections.abc import Callable

from hanse.elements.mep.app_support.time_servers import time_servers
from hanse.kit.kernel_clock import ClockReading, read_clock
from hanse.kit.values import TimeStamp
from hanse.refpoints.mp1.timing import CurrentTime, NtpServer, TimeSourceStatus, Timing, TimingCaps


class TimeOfDay(Timing):
    """The clock of this machine. PTP masters are not told: nothing here could tell that one is followed."""

    def __init__(
        self,
        now: Callable[[], int] = time.time_ns,
        reading: Callable[[], ClockReading | None] = read_clock,
        servers: Callable[[], tuple[NtpServer, ...]] = time_servers,
    ) -> None:
        self._now = now
        self._reading = reading
        self._servers = servers

    async def timing_caps(self) -> TimingCaps:
        """The servers of this machine's time service, and when that was looked up."""
        seconds, nano_seconds = divmod(self._now(), 1_000_000_000)
        stamp = TimeStamp(seconds=seconds, nano_seconds=nano_seconds)
        return TimingCaps(time_stamp=stamp, ntp_servers=self._servers())

    async def current_time(self) -> CurrentTime:
        """The time now; TRACEABLE only if the kernel says that its clock is held to UTC."""
        seconds, nano_seconds = divmod(self._now(), 1_000_000_000)
        reading = self._reading()
        locked = reading is not None and reading.locked
        status = TimeSourceStatus.TRACEABLE if locked else TimeSourceStatus.NONTRACEABLE
        return CurrentTime(seconds=seconds, nano_seconds=nano_seconds, time_source_status=status)
