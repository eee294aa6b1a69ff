"""What a platform is handed: what it keeps its state in, whom it asks, whom it carries calls to, what it may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from hanse.elements.mep.app_rules.limits import RulePolicy
from hanse.elements.mep.app_support.tags import TagAddresses
from hanse.elements.mep.quotas import Quotas
from hanse.elements.mep.service_management.liveness import LivenessPolicy
from hanse.elements.mep.steering.devices import Devices
from hanse.kit.callbacks import Callbacks
from hanse.kit.outbox import Outbox
from hanse.kit.receivers import ANYWHERE, Receivers
from hanse.kit.store import Store
from hanse.kit.tokens import TokenIssuer
from hanse.model.place import Zone
from hanse.refpoints.mm5.platform import ManagerLookup
from hanse.refpoints.mp2 import DataPlane, NameServer
from hanse.refpoints.mp3.services import SharedFlows, SharedServices
from hanse.refpoints.mpp_fed.consumption import ServiceConsumption


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """All that one platform requires. What has a default may be left out: then the platform goes without it."""

    host: str
    operator: str
    url: str
    """Where apps reach the platform."""
    store: Store
    outbox: Outbox
    callbacks: Callbacks

    manager: ManagerLookup
    data_plane: DataPlane
    name_server: NameServer

    partner: Callable[[str], ServiceConsumption]
    """The platforms of a partner, by the partner's name."""
    neighbour: Callable[[str], ServiceConsumption]
    """The platform of a host of the same system, by the host's name."""
    producer: Callable[[str], ServiceConsumption]
    """An app of this host, by the URL at which it serves."""
    neighbours: Mapping[str, SharedServices]
    """The platforms of the other hosts of the system, the nearest first."""
    flows: Mapping[str, SharedFlows] = field(default_factory=lambda: MappingProxyType({}))
    """What passes through the data planes of the other hosts."""

    issuer: TokenIssuer
    seed: bytes
    """What the secrets of apps are derived from."""
    authority: str
    """The certificate, in PEM, by which apps know the platform."""

    tags: TagAddresses
    led: Devices = field(default_factory=Devices)
    """The devices that may ask a name server, and where each is."""
    zones: Mapping[str, Zone] = field(default_factory=lambda: MappingProxyType({}))
    """The zone of each host of the system."""
    domains: Sequence[str] = ()
    """What the host's name server answers for as a whole."""
    redirectors: Sequence[str] = ()
    """The URLs at which devices are led by HTTP."""

    liveness: LivenessPolicy = field(default_factory=LivenessPolicy)
    volumes: Path | None = None
    """Where the storage of apps lies; without it there is none."""
    reach: Receivers = ANYWHERE
    """Where calls from elsewhere may be carried."""
    quotas: Quotas = field(default_factory=Quotas)
    """How much one app may have."""
    rules: RulePolicy = field(default_factory=RulePolicy)
    """What apps may make of their rules."""
