"""Hanse: an open ETSI MEC system whose operators federate."""

__version__ = "0.1.0"
