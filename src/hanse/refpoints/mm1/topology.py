"""The orchestrator's view of its system, as the OSS may see it (ETSI GS MEC 003, 7.1.4.1: overall view)."""

from __future__ import annotations

from hanse.kit.contract.declare import Api, get
from hanse.kit.values import Value
from hanse.model.place import Zone
from hanse.refpoints.mm1.lifecycle import InstantiationState


class HostOverview(Value):
    """A host: where it is, whether its VIM answers, what it has (bytes, thousandths of a core) and runs.

    ``redirectors``: where it leads devices by HTTP redirection, as long as its platform is heard.
    """

    name: str
    zone: Zone
    reachable: bool
    memory: int = 0
    memory_used: int = 0
    workloads: int = 0
    services: tuple[str, ...] = ()
    redirectors: tuple[str, ...] = ()


class AppOverview(Value):
    """An application instance and where it is."""

    app_instance_id: str
    app_name: str
    state: InstantiationState
    host: str


class SystemOverview(Value):
    """A MEC system at a glance; ``registered`` are the services by which the federation may find it now."""

    operator: str
    system_id: str
    registered: tuple[str, ...]
    hosts: tuple[HostOverview, ...]
    apps: tuple[AppOverview, ...]


class SystemTopology(Api, bases=("/mm1/v1",)):
    """The orchestrator's view of its system, for the OSS."""

    @get("/system")
    async def system(self) -> SystemOverview:
        """Hosts and apps as they are now."""
