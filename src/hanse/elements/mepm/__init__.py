"""MEPM: the MEC platform manager of a host (ETSI GS MEC 003, 7.1.4.3)."""

from hanse.elements.mepm.element import PlatformManager

__all__ = ["PlatformManager"]
