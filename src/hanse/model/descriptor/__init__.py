"""The application descriptor: its values (ETSI GS MEC 010-2, 6.2.1), its rules and its TOSCA form (ETSI GS MEC 037)."""

from hanse.model.descriptor.application import AppD
from hanse.model.descriptor.base import Violation
from hanse.model.descriptor.rules import check

__all__ = ["AppD", "Violation", "check"]
