"""Packages of apps that misbehave, or show everything: the navigation example's, with another program in it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from hanse.assembly.deployment import Deployment, renumbered
from hanse.model.package import build
from hanse.scenarios.stage import EXAMPLES

APPS = Path(__file__).parent / "apps"
APP_D_ID = "5e0f8a34-9c1b-4d27-8f6a-2b7d94c1e035"
RULES = "        app_traffic_rule:\n"
PRODUCED = """\
        app_service_produced:
          - ser_name: navigation
            version: '1.0'
            transport_supported:
              - transport: {type: REST_HTTP, protocol: HTTP, version: '1.1', security: {}}
                serializers: [JSON]
"""


class Place(NamedTuple):
    """Where devices find an app: its name, and the virtual address of its rule, in the operator's network."""

    name: str
    virtual: str


FIRST = Place("navigation.example.com", "127.10.200.1")
"""Where the navigation example is found."""
SECOND = Place("second.example.com", "127.10.200.2")
"""Where another one is, so that both can run at one host."""


def package(
    deployment: Deployment,
    networks: Mapping[str, str],
    program: str,
    padding: int = 0,
    variant: str = "",
    place: Place = FIRST,
) -> Path:
    """The signed package of ``apps/<program>.py``.

    ``padding``: bytes in its image that cannot be compressed; ``variant``: makes it another app with another image;
    ``place``: where devices find it.
    """
    source = deployment.directory / "sources" / f"{program}{variant}"
    if not source.exists():
        shutil.copytree(EXAMPLES / "navigation", source)
        image = source / "Artifacts" / "Images" / "navigation"
        _replace_program(image, program)
        (image / "padding").write_bytes(variant.encode() + _noise(padding))
        definition = source / "Definitions" / "navigation.yaml"
        text = definition.read_text().replace(FIRST.name, place.name).replace(FIRST.virtual, place.virtual)
        text = renumbered(text, networks).replace(APP_D_ID, str(uuid.uuid4()))
        definition.write_text(text.replace(RULES, PRODUCED + RULES))
    signer = deployment.signer("wayfinder")
    out = deployment.directory / f"{program}{variant}.csar"
    return build(source, out, certificate=signer.certificate_path, key=signer.key_path)


def _replace_program(image: Path, program: str) -> None:
    for file in image.glob("*.py"):
        file.unlink()
    shutil.copy(APPS / f"{program}.py", image / "navigation.py")


def _noise(size: int) -> bytes:
    with open("/dev/urandom", "rb") as source:
        return source.read(size)
