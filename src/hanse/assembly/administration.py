"""Administration: an operator's OSS as its administrator reaches it, from outside of its processes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from hanse.assembly.authentication import element_caller
from hanse.assembly.catalogue import elements
from hanse.assembly.identities import Identities
from hanse.assembly.settings import Settings
from hanse.kit.certificates import client_context
from hanse.kit.contract.client import Peer, client
from hanse.kit.contract.observe import Silence
from hanse.kit.contract.transport import HttpTransport
from hanse.refpoints.mm1.lifecycle import Lifecycle
from hanse.refpoints.mm1.packages import PackageManagement
from hanse.refpoints.mm1.steering import SteeringPolicies
from hanse.refpoints.mx1.overview import Overview


@dataclass(frozen=True)
class Administration:
    """What an administrator may do at an operator (Mx1)."""

    packages: PackageManagement
    lifecycle: Lifecycle
    overview: Overview
    steering: SteeringPolicies


@asynccontextmanager
async def administration(settings: Settings, name: str = "administrator") -> AsyncIterator[Administration]:
    """Speak to an operator's OSS as its administrator, or as ``customer.TENANT``."""
    identities = Identities(settings)
    oss = elements(settings)["oss"]
    context = client_context([identities.authority_path], identities.issue(name))
    transport = HttpTransport(oss.url, context, name=f"the OSS of {settings.operator.name}")
    peer = Peer("oss", transport, element_caller(settings.operator.name, name), "Mx1", Silence())
    try:
        yield Administration(
            client(PackageManagement, peer),
            client(Lifecycle, peer),
            client(Overview, peer),
            client(SteeringPolicies, peer),
        )
    finally:
        await transport.close()
