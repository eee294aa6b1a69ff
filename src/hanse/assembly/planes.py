"""Data planes as a deployment chooses them: whether this machine can carry them out, and removing what they left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from hanse.assembly.settings import Settings
from hanse.assembly.sites import site_of
from hanse.assembly.tables import DATA_PLANE_DRIVERS
from hanse.drivers.dataplane_nftables import NftablesDataPlane, Site
from hanse.drivers.dataplane_nftables.namespaces import existing
from hanse.drivers.dataplane_nftables.trial import found_out
from hanse.kit.problems import Problem, bad_request

TEMPLATE_OF = {"userspace": "two-operators", "nftables": "two-operators-kernel"}
"""The deployment to start from for each driver."""


def template_of(driver: str) -> str:
    """The deployment to start from; 400 lists the drivers that there are, 501 says why this machine cannot run one."""
    if driver not in TEMPLATE_OF:
        raise bad_request(f"No data plane {driver}", f"there are {', '.join(DATA_PLANE_DRIVERS)}")
    if driver == "nftables" and (reason := asyncio.run(found_out()).get("kernel")):
        raise Problem(
            501,
            f"The data plane {driver} cannot run here",
            f"{reason}; hanse doctor tells more, userspace needs nothing",
        )
    return TEMPLATE_OF[driver]


def drivers(settings: Settings) -> set[str]:
    """The data plane drivers of an operator's hosts."""
    return {host.data_plane_driver for host in settings.hosts.values()}


def left(operators: Iterable[Settings]) -> list[str]:
    """The network namespaces of operators that are there."""
    return [space for site in _sites(operators) for space in existing(site.plane_space)]


def clear(operators: Iterable[Settings]) -> None:
    """Remove what killed processes left of data planes in the kernel; for none there is nothing to do."""
    for site in _sites(operators):
        asyncio.run(NftablesDataPlane(site).close())


def _sites(operators: Iterable[Settings]) -> Iterator[Site]:
    for settings in operators:
        for name, host in settings.hosts.items():
            if host.data_plane_driver == "nftables":
                yield site_of(settings, name)[0]
