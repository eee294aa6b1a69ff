"""MEO: the MEC orchestrator of a system (ETSI GS MEC 003, 7.1.4.1)."""

from hanse.elements.meo.element import Orchestrator
from hanse.elements.meo.hosts import Host

__all__ = ["Host", "Orchestrator"]
