"""A tag leads to the devices that the host itself serves, and never to another host's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hanse.assembly.builders.mep import tag_addresses
from hanse.assembly.settings import parse
from hanse.kit.problems import Problem


def raw(**devices: dict[str, Any]) -> dict[str, Any]:
    zone = {"name": "z", "latitude": 0.0, "longitude": 0.0}
    host = {"zone": zone, "data_plane": "127.9.1.2", "names": {"address": "127.9.1.3"}, "apps": "127.9.1.100"}
    places = {"latitude": 0.0, "longitude": 0.0}
    return {
        "operator": {"name": "north"},
        "federation": {"address": "127.9.0.2"},
        "hosts": {"harbour": host | {"address": "127.9.1.1"}, "valley": host | {"address": "127.9.2.1"}},
        "devices": {name: places | {"host": "harbour"} | device for name, device in devices.items()},
    }


def test_a_tag_stands_for_the_devices_of_its_host() -> None:
    settings = parse(
        raw(
            alice={"address": "127.9.100.1", "tags": ["alice", "family"]},
            bob={"address": "127.9.100.2", "tags": ["family"]},
            carol={"address": "127.9.100.3", "tags": ["family", "carol"], "host": "valley"},
            dave={"address": "127.9.100.4"},
        ),
        Path("north.toml"),
    )
    assert tag_addresses(settings, "harbour") == {"alice": ("127.9.100.1",), "family": ("127.9.100.1", "127.9.100.2")}
    assert tag_addresses(settings, "valley") == {"family": ("127.9.100.3",), "carol": ("127.9.100.3",)}


def test_tags_are_a_list() -> None:
    with pytest.raises(Problem, match="tags"):
        parse(raw(alice={"address": "127.9.100.1", "tags": "alice"}), Path("north.toml"))
