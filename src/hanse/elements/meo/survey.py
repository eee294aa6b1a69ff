"""A survey of the hosts: what room each has, before an instance is placed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from hanse.elements.meo.domain import HostView
from hanse.elements.meo.hosts import Host
from hanse.kit.problems import Problem


async def survey(hosts: Mapping[str, Host]) -> list[HostView]:
    """The hosts as they are now; one that does not answer is left out.

    A problem 503 if none answers.
    """
    capacities = await asyncio.gather(
        *(host.infrastructure.capacity() for host in hosts.values()), return_exceptions=True
    )
    view = []
    for host, capacity in zip(hosts.values(), capacities, strict=True):
        if isinstance(capacity, Problem):
            continue
        if isinstance(capacity, BaseException):
            raise capacity
        view.append(
            HostView(
                name=host.name,
                zone=host.zone,
                country=host.country,
                memory_free=capacity.memory - capacity.memory_used,
                cpu_milli_free=capacity.cpu_milli - capacity.cpu_milli_used,
                workloads=capacity.workloads,
            )
        )
    if not view:
        raise Problem(503, "No host answers", "no VIM of the system can be reached now")
    return view
