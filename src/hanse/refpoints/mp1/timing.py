"""Mp1, time of day: what the platform's clock shows and follows (ETSI GS MEC 011 V3.1.1, 7.2.5 and 7.2.6)."""

from __future__ import annotations

from enum import StrEnum

from hanse.kit.contract.declare import Api, get
from hanse.kit.values import ABSENT, Absent, TimeStamp, Value


class TimeSourceStatus(StrEnum):
    """Whether the clock is locked to UTC (7.1.2.5)."""

    TRACEABLE = "TRACEABLE"
    NONTRACEABLE = "NONTRACEABLE"


class CurrentTime(TimeStamp):
    """The time now, and how far to trust it (7.1.2.5)."""

    time_source_status: TimeSourceStatus


class NtpServerAddrType(StrEnum):
    """How an NTP server is named (7.1.2.4)."""

    IP_ADDRESS = "IP_ADDRESS"
    DNS_NAME = "DNS_NAME"


class AuthenticationOption(StrEnum):
    """How an NTP server proves itself (7.1.2.4)."""

    NONE = "NONE"
    SYMMETRIC_KEY = "SYMMETRIC_KEY"
    AUTO_KEY = "AUTO_KEY"


class NtpServer(Value):
    """A server of the clock (7.1.2.4): polling intervals are exponents of 2 s from 3 to 17, priority 0 is the first.

    ``authentication_key_num`` is there exactly with SYMMETRIC_KEY.
    """

    ntp_server_addr_type: NtpServerAddrType
    ntp_server_addr: str
    min_polling_interval: int
    max_polling_interval: int
    local_priority: int
    authentication_option: AuthenticationOption
    authentication_key_num: int | Absent = ABSENT


class PtpMaster(Value):
    """A PTP master (7.1.2.4); ``delay_req_max_rate`` in packets a second."""

    ptp_master_ip_address: str
    ptp_master_local_priority: int
    delay_req_max_rate: int


class TimingCaps(Value):
    """What the platform's clock can follow (7.1.2.4)."""

    time_stamp: TimeStamp | Absent = ABSENT
    ntp_servers: tuple[NtpServer, ...] = ()
    ptp_masters: tuple[PtpMaster, ...] = ()


class Timing(Api, bases=("/mec_app_support/v2", "/mec_app_support/v1")):
    """Time of day, for every app alike."""

    @get("/timing/timing_caps")
    async def timing_caps(self) -> TimingCaps:
        """Servers and masters that the platform's clock follows (7.2.5.3.1)."""

    @get("/timing/current_time")
    async def current_time(self) -> CurrentTime:
        """The time now (7.2.6.3.1)."""
