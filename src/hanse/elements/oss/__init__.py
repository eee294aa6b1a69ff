"""OSS: the operations support system of an operator (ETSI GS MEC 003, 7.1.4.2)."""

from hanse.elements.oss.element import Oss

__all__ = ["Oss"]
