"""An app learns the time, and is not told that it can be trusted when it cannot (MEC 011 V3.1.1, 7.1.2.4, 7.1.2.5)."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from hanse.elements.mep.app_support.time_servers import servers_in, time_servers
from hanse.elements.mep.app_support.timing import TimeOfDay
from hanse.kit.kernel_clock import STA_UNSYNC, ClockReading, read_clock
from hanse.kit.values import ABSENT
from hanse.refpoints.mp1.timing import AuthenticationOption, NtpServerAddrType, TimeSourceStatus

CHRONY = """
# the servers of this machine
pool time.example.com iburst minpoll 4 maxpoll 22
server 192.0.2.1 key 7
  server old.example.com autokey
server
makestep 1 3
"""


async def test_the_time_is_the_machines_own() -> None:
    before = time.time()
    told = await TimeOfDay().current_time()
    assert before - 1 <= told.seconds + told.nano_seconds / 1e9 <= time.time()
    reading = read_clock()
    assert (told.time_source_status is TimeSourceStatus.TRACEABLE) is (reading is not None and reading.locked)


@pytest.mark.parametrize(
    ("reading", "status"),
    [
        (ClockReading(0, 0, 900, 0), TimeSourceStatus.TRACEABLE),
        (ClockReading(0, STA_UNSYNC, 900, 0), TimeSourceStatus.NONTRACEABLE),
        (None, TimeSourceStatus.NONTRACEABLE),
    ],
)
async def test_a_clock_that_nothing_holds_or_that_cannot_be_asked_is_not_traceable(
    reading: ClockReading | None, status: TimeSourceStatus
) -> None:
    clock = TimeOfDay(now=lambda: 1_700_000_000_123_456_789, reading=lambda: reading)
    told = msgspec.to_builtins(await clock.current_time())
    assert told == {"seconds": 1_700_000_000, "nanoSeconds": 123_456_789, "timeSourceStatus": status.value}


async def test_the_capabilities_name_the_servers_of_this_machines_clock(tmp_path: Path) -> None:
    file = tmp_path / "chrony.conf"
    file.write_text(CHRONY)
    clock = TimeOfDay(now=lambda: 5_000_000_001, servers=lambda: time_servers([tmp_path / "none", file]))
    told = await clock.timing_caps()
    assert msgspec.to_builtins(told.time_stamp) == {"seconds": 5, "nanoSeconds": 1}
    assert [s.ntp_server_addr for s in told.ntp_servers] == ["time.example.com", "192.0.2.1", "old.example.com"]
    assert [s.local_priority for s in told.ntp_servers] == [0, 1, 2]
    assert told.ptp_masters == ()


def test_what_a_server_is_told_with_is_legal_on_the_wire() -> None:
    pool, keyed, auto = servers_in(CHRONY)
    assert (pool.min_polling_interval, pool.max_polling_interval) == (4, 17), "22 is no exponent of 7.1.2.4"
    assert (keyed.min_polling_interval, keyed.max_polling_interval) == (6, 10)
    assert (pool.ntp_server_addr_type, keyed.ntp_server_addr_type) == (
        NtpServerAddrType.DNS_NAME,
        NtpServerAddrType.IP_ADDRESS,
    )
    assert (keyed.authentication_option, keyed.authentication_key_num) == (AuthenticationOption.SYMMETRIC_KEY, 7)
    assert (pool.authentication_key_num, auto.authentication_key_num) == (ABSENT, ABSENT)
    assert auto.authentication_option is AuthenticationOption.AUTO_KEY


def test_timesyncd_and_damaged_options_are_read() -> None:
    assert [s.ntp_server_addr for s in servers_in("[Time]\nNTP=a.example.com b.example.com\nFallbackNTP=c")] == [
        "a.example.com",
        "b.example.com",
    ]
    (damaged,) = servers_in("server a.example.com minpoll fast")
    assert damaged.min_polling_interval == 6


def test_a_machine_without_a_time_service_has_no_servers(tmp_path: Path) -> None:
    assert time_servers([tmp_path / "none"]) == ()
