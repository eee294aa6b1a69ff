"""A name server outside, kept up to date by signed dynamic updates (RFC 2136). See `README.md`."""

from hanse.drivers.names_rfc2136.driver import UpdatedNames
from hanse.drivers.names_rfc2136.updates import Key

__all__ = ["Key", "UpdatedNames"]
