"""The embedded name server: DNS on a high port, without a daemon. See `README.md`."""

from hanse.drivers.names_embedded.driver import EmbeddedNames

__all__ = ["EmbeddedNames"]
