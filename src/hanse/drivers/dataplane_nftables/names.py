"""Names that the plane, its rules and its tunnel end share."""

from __future__ import annotations

from typing import Final

SPACES: Final = "/run/netns"
"""Where the kernel's namespaces have their names (ip-netns(8))."""
FAR_END_DEVICE: Final = "tunnels"
"""The interface by which packets leave by tunnels, and come back."""
