"""A source directory, an authority, a signer, and a package built of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hanse.model.package import build
from tests.unit.model.descriptor import templates
from tests.unit.model.package import pki

IMAGE = "Artifacts/Images/hello.tar.gz"


@pytest.fixture(scope="session")
def ca() -> pki.Holder:
    return pki.authority("Harbour CA")


@pytest.fixture(scope="session")
def signer(ca: pki.Holder) -> pki.Holder:
    return pki.signer("Example Apps", ca)


@pytest.fixture
def files(signer: pki.Holder, tmp_path: Path) -> dict[str, Any]:
    """Certificate and key as the keyword arguments of `build`."""
    return signer.written(tmp_path / "keys")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A source directory with a process bundle."""
    root = tmp_path / "source"
    bundle = root / "Artifacts/Images/hello"
    (bundle / "lib/__pycache__").mkdir(parents=True)
    (bundle / "process.json").write_text('{"command": ["python3", "app.py"]}')
    (bundle / "app.py").write_text("print('hello')\n")
    (bundle / "run.sh").write_text("#!/bin/sh\n")
    (bundle / "run.sh").chmod(0o755)
    (bundle / "lib/words.txt").write_text("hello\n" * 100)
    (bundle / "lib/__pycache__/words.pyc").write_bytes(b"cache")
    (root / "Definitions").mkdir()
    (root / "Definitions/hello.yaml").write_text(yaml.safe_dump(template()))
    (root / "ChangeLog.txt").write_text("1.0 (2026-02-03): first\n")
    (root / "Licenses").mkdir()
    (root / "Licenses/LICENSE").write_text("Apache-2.0\n")
    return root


def template() -> dict[str, object]:
    """A template whose virtual machine is a process bundle."""
    document = templates.machine()
    artifact = document["topology_template"]["node_templates"]["vm"]["artifacts"]["image"]
    artifact["file"] = IMAGE
    artifact["properties"] |= {
        "disk_format": "raw",
        "min_disk": "1 MB",
        "size": f"@size({IMAGE})",
        "checksum": {"algorithm": "sha-256", "hash": f"@sha256({IMAGE})"},
        "supported_virtualisation_environments": ["process"],
    }
    return document


@pytest.fixture
def csar(sources: Path, files: dict[str, Any], tmp_path: Path) -> Path:
    """A sound package."""
    return build(sources, tmp_path / "hello.csar", **files)


TYPES = "Definitions/types/own.yaml"


def put_types_apart(sources: Path) -> None:
    """Let the descriptor keep its node types in a file of their own, beside one that nobody imports."""
    document = template()
    types = {"tosca_definitions_version": document["tosca_definitions_version"], "node_types": document["node_types"]}
    imports = document.get("imports", [])
    assert isinstance(imports, list)
    main = {name: value for name, value in document.items() if name != "node_types"}
    (sources / "Definitions/types").mkdir()
    (sources / TYPES).write_text(yaml.safe_dump(types))
    (sources / "Definitions/types/stray.yaml").write_text("nobody: imports this\n")
    (sources / "Definitions/hello.yaml").write_text(yaml.safe_dump(main | {"imports": [*imports, "types/own.yaml"]}))
