"""The TOSCA form of an application descriptor (ETSI GS MEC 037 V3.2.1)."""

from hanse.model.descriptor.tosca.reader import Reading, broken_descriptor, examine, parse

__all__ = ["Reading", "broken_descriptor", "examine", "parse"]
