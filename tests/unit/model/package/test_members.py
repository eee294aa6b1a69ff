"""What is handed on of a package's descriptor is the descriptor, whole, and nothing else of the package."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hanse.model.package import build, descriptor_archive, descriptor_files
from tests.unit.model.package.conftest import TYPES, put_types_apart

MAIN = "Definitions/hello.yaml"


@pytest.fixture
def split(sources: Path, files: dict[str, Any], tmp_path: Path) -> Path:
    put_types_apart(sources)
    return build(sources, tmp_path / "split.csar", **files)


def test_a_single_file_is_all_there_is(csar: Path) -> None:
    (name,) = descriptor_files(csar)
    assert name == MAIN


def test_a_descriptor_has_the_files_that_its_main_one_imports(split: Path) -> None:
    found = descriptor_files(split)
    assert list(found) == [MAIN, TYPES]
    with zipfile.ZipFile(split) as package:
        assert all(package.read(name) == content for name, content in found.items())


def test_an_archive_of_a_descriptor_tells_its_main_file(split: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(descriptor_archive(split))) as got:
        assert set(got.namelist()) == {"TOSCA-Metadata/TOSCA.meta", MAIN, TYPES}
        assert f"Entry-Definitions: {MAIN}" in got.read("TOSCA-Metadata/TOSCA.meta").decode()
