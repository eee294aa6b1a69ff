"""Agreements: what an operator shares with a partner."""

from __future__ import annotations

from hanse.kit.values import Value


class Agreement(Value):
    """What one partner may see and use: services by name, zones by name (empty: all zones)."""

    partner: str
    services: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()

    def shares_service(self, name: str) -> bool:
        """Whether the partner may know of services of this name."""
        return name in self.services

    def shares_zone(self, name: str) -> bool:
        """Whether the partner may know of this zone."""
        return not self.zones or name in self.zones
