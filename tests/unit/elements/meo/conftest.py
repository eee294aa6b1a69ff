"""An orchestrator whose outbox delivers, and a package that it trusts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from hanse.elements.meo import procedures
from hanse.kit.certificates import Authority
from hanse.model.package import build
from tests.unit.elements.meo.parts import Bench
from tests.unit.model.package.conftest import put_types_apart, template


@pytest.fixture(scope="session")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.ensure(tmp_path_factory.mktemp("providers"), "providers")


@pytest.fixture(scope="session")
def csar(providers: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound package, signed by a provider of that authority."""
    directory = tmp_path_factory.mktemp("package")
    return _built(directory, _sources(directory), providers)


@pytest.fixture(scope="session")
def split(providers: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another, whose descriptor has two files."""
    directory = tmp_path_factory.mktemp("split")
    sources = _sources(directory)
    put_types_apart(sources)
    return _built(directory, sources, providers)


def _sources(directory: Path) -> Path:
    sources = directory / "source"
    bundle = sources / "Artifacts/Images/hello"
    bundle.mkdir(parents=True)
    (bundle / "process.json").write_text('{"command": ["python3", "app.py"]}')
    (bundle / "app.py").write_text("print('hello')\n")
    (sources / "Definitions").mkdir()
    (sources / "Definitions/hello.yaml").write_text(yaml.safe_dump(template()))
    (sources / "ChangeLog.txt").write_text("1.0 (2026-02-03): first\n")
    (sources / "Licenses").mkdir()
    (sources / "Licenses/LICENSE").write_text("Apache-2.0\n")
    return sources


def _built(directory: Path, sources: Path, providers: Authority) -> Path:
    signer = providers.issue_signer("example-apps", directory)
    return build(sources, directory / "hello.csar", certificate=signer.certificate_path, key=signer.key_path)


@pytest.fixture
async def bench(providers: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(procedures, "POLL_PAUSE", 0.02)
    made = Bench(tmp_path / "packages", (providers.certificate_path.read_bytes(),))
    await made.outbox.start()
    yield made
    await made.outbox.close()
    made.store.close()
