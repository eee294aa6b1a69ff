"""The VIM of a host, over the process driver."""

from __future__ import annotations

from hanse.assembly.builders.built import Built
from hanse.assembly.catalogue import Element
from hanse.drivers.compute_process.driver import ProcessCompute
from hanse.elements.vim import Vim
from hanse.elements.vim.domain import Equipment
from hanse.refpoints.mm4.infrastructure import Infrastructure
from hanse.refpoints.mm6.workloads import WorkloadEvents, Workloads


def build(built: Built, element: Element) -> None:
    """Make it, and make it known."""
    wiring, place = built.wiring, built.wiring.settings.hosts[element.host]
    directory = wiring.directory / element.name
    compute = ProcessCompute(directory / "compute")
    equipment = Equipment(
        memory=place.memory_bytes(),
        cpu_milli=int(place.processors * 1000),
        addresses=place.app_addresses(),
        port=place.app_port,
    )
    manager = wiring.require(WorkloadEvents, f"mepm.{element.host}", element)
    vim = Vim(element.host, equipment, wiring.store(element), compute, directory, manager)
    wiring.starts.append(vim.start_up)
    wiring.stops += [compute.close, vim.shut_down]
    built.parts[element.name] = vim
    wiring.provide(element, {Infrastructure: vim, Workloads: vim})
