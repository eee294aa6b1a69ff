"""The user-space data plane: TCP and UDP relays in 127.0.0.0/8, without root. See `README.md`."""

from hanse.drivers.dataplane_userspace.driver import MOST_FLOWS, UserspaceDataPlane

__all__ = ["MOST_FLOWS", "UserspaceDataPlane"]
