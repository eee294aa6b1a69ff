"""Places: zones in which hosts stand and devices are."""

from __future__ import annotations

import math

from hanse.kit.values import Value

EARTH_RADIUS = 6371.0


class Position(Value):
    """A point on the earth, in degrees of WGS 84."""

    latitude: float
    longitude: float

    def distance(self, other: Position) -> float:
        """Kilometres to another point along the great circle."""
        one, two = math.radians(self.latitude), math.radians(other.latitude)
        east = math.radians(other.longitude - self.longitude) / 2
        north = (two - one) / 2
        half = math.sin(north) ** 2 + math.cos(one) * math.cos(two) * math.sin(east) ** 2
        return 2 * EARTH_RADIUS * math.asin(math.sqrt(half))


class Zone(Value):
    """A named area that an operator serves, with its middle; this much of a place may be told to a partner."""

    name: str
    position: Position
