"""Names that the plane, its rules and its tunnel end share."""

from __future__ import annotations

from typing import Final

SPACES: Final = "/run/netns"
"""Where the kernel's namespaces have their names (ip-netns(8))."""
GTP_U: Final = "GTP_U"
GRE: Final = "GRE"
"""Types of tunnels (ETSI GS MEC 011 V3.1.1, 7.1.5.4)."""
FAR_END_DEVICE: Final = "tunnels"
"""The interface by which packets leave by tunnels, and come back."""
