"""Mp2: between the platform and the data plane of its host (ETSI GS MEC 003, 7.2.1). See `README.md`."""

from hanse.refpoints.mp2.data_plane import (
    DataPlane,
    DataPlaneCapabilities,
    FilterType,
    Flow,
    Forwarding,
    RuleAction,
    RuleCounters,
    TrafficMatch,
)
from hanse.refpoints.mp2.names import NameRecord, NameServer

__all__ = [
    "DataPlane",
    "DataPlaneCapabilities",
    "FilterType",
    "Flow",
    "Forwarding",
    "NameRecord",
    "NameServer",
    "RuleAction",
    "RuleCounters",
    "TrafficMatch",
]
