"""MEP: the MEC platform of a host (ETSI GS MEC 003, 7.1.2)."""

from hanse.elements.mep.element import Platform
from hanse.elements.mep.surroundings import Surroundings

__all__ = ["Platform", "Surroundings"]
