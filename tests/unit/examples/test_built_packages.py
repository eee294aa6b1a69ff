"""The packages that are built from the examples: conformant, signed, and whole enough to run from."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hanse.model.package import Package, build, extract_image, verify
from tests.unit.examples.running import EXAMPLES, SYSTEM_PYTHON

NAMES = ("navigation", "speech")


@pytest.fixture(params=NAMES)
def package(request: pytest.FixtureRequest, trust: Path, tmp_path: Path) -> Package:
    """An example's package, built, signed and verified."""
    signer = str(trust / "platform.pem")
    built = build(EXAMPLES / request.param, tmp_path, certificate=Path(signer), key=Path(signer))
    return verify(built, trust=[(trust / "ca.pem").read_bytes()], now=datetime.now(UTC))


def test_a_package_is_accepted_as_what_it_says_it_is(package: Package) -> None:
    assert package.signer == "CN=platform"
    assert package.metadata.vnf_product_name in NAMES
    (image,) = package.images
    assert image.path == f"Artifacts/Images/{package.metadata.vnf_product_name}.tar.gz"
    assert image.supported_virtualisation_environments == ("process",)


def test_the_program_in_a_package_starts(package: Package, tmp_path: Path) -> None:
    extract_image(package.path, package.images[0].path, tmp_path / "image")
    _, program = json.loads((tmp_path / "image" / "process.json").read_text())["command"]
    ran = subprocess.run(
        [SYSTEM_PYTHON, program], cwd=tmp_path / "image", env={}, capture_output=True, text=True, timeout=20
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("not set: MEC_PLATFORM_URL")
