"""Mp2: between the platform and the data plane of its host (ETSI GS MEC 003, 7.2.1). See `README.md`."""

from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.model.descriptor.traffic import Action, FilterType
from hanse.refpoints.mp2.data_plane import (
    DataPlane,
    DataPlaneCapabilities,
    Flow,
    RefusedRule,
    RefusedRules,
    RuleChanges,
    RuleCounters,
)
from hanse.refpoints.mp2.features import Feature, features, refuse_lacking
from hanse.refpoints.mp2.forwarding import Ethernet, Forwarding, TrafficMatch, Tunnel
from hanse.refpoints.mp2.names import (
    BY_CLIENT,
    NameRecord,
    NameRecords,
    NameServer,
    NameServerCapabilities,
    check_owned,
    check_values,
)

Mp2 = ReferencePoint(
    name="Mp2",
    joins="platform – data plane",
    clause="ETSI GS MEC 003, 7.2.1",
    offers=(
        Offer(DataPlane, provider="data_plane", users=("mep",)),
        Offer(NameServer, provider="names", users=("mep",)),
    ),
)

__all__ = [
    "BY_CLIENT",
    "Action",
    "DataPlane",
    "DataPlaneCapabilities",
    "Ethernet",
    "Feature",
    "FilterType",
    "Flow",
    "Forwarding",
    "Mp2",
    "NameRecord",
    "NameRecords",
    "NameServer",
    "NameServerCapabilities",
    "RefusedRule",
    "RefusedRules",
    "RuleChanges",
    "RuleCounters",
    "TrafficMatch",
    "Tunnel",
    "check_owned",
    "check_values",
    "features",
    "refuse_lacking",
]
