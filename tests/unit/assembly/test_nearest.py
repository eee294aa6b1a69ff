"""The other hosts of a system are told to a platform by their distance: in this order its apps find services there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hanse.assembly.builders.mep import nearest
from hanse.assembly.settings import parse


def host(number: int, longitude: float) -> dict[str, Any]:
    zone = {"name": f"z{number}", "latitude": 54.0, "longitude": longitude}
    names = {"address": f"127.9.{number}.3"}
    network = {"address": f"127.9.{number}.1", "data_plane": f"127.9.{number}.2", "apps": f"127.9.{number}.100"}
    return {"zone": zone, "names": names, **network}


def test_the_nearest_host_comes_first_and_a_host_is_not_its_own_neighbour() -> None:
    places = {"harbour": 10.0, "stadium": 13.0, "station": 10.1, "airport": 8.5}
    raw = {
        "operator": {"name": "north"},
        "federation": {"address": "127.9.0.2"},
        "hosts": {name: host(number, where) for number, (name, where) in enumerate(places.items(), 1)},
    }
    settings = parse(raw, Path("north.toml"))
    assert nearest(settings, "harbour") == ["station", "airport", "stadium"]
    assert nearest(settings, "stadium") == ["station", "harbour", "airport"]
