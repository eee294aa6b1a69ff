"""The example applications, run for real: as unpacked images, under the system's Python, next to a small platform."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.examples.running import EXAMPLES, SYSTEM_PYTHON, App, Deployment
from tests.unit.examples.small_platform import SmallPlatform
from tests.unit.examples.trust import make_trust

for _name in ("speech", "navigation"):
    sys.path.append(str(EXAMPLES / _name / "Artifacts" / "Images" / _name))


@pytest.fixture(scope="session")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with `ca.pem` and `platform.pem` (key and certificate of 127.0.0.1)."""
    return make_trust(tmp_path_factory.mktemp("trust"))


@pytest.fixture
def platform(trust: Path) -> Iterator[SmallPlatform]:
    """A platform that listens on 127.0.0.1 with TLS."""
    small = SmallPlatform(trust / "platform.pem")
    try:
        yield small
    finally:
        small.close()


@pytest.fixture
def deploy(platform: SmallPlatform, trust: Path, tmp_path: Path) -> Iterator[Deployment]:
    """Starts applications and ends them with the test, whatever happens."""
    apps: list[App] = []

    def start(name: str, wait: bool = True, **changes: str) -> App:
        app = _launch(name, tmp_path, platform, trust, changes)
        apps.append(app)
        if wait:
            _until(lambda: platform.settled(app.instance_id) or app.process.poll() is not None)
            assert app.process.poll() is None, app.output()
        return app

    try:
        yield start
    finally:
        for app in apps:
            app.end()


def _launch(name: str, tmp_path: Path, platform: SmallPlatform, trust: Path, changes: dict[str, str]) -> App:
    instance_id = f"{name}-{len(list(tmp_path.iterdir()))}"
    image = tmp_path / instance_id
    sources = EXAMPLES / name / "Artifacts" / "Images" / name
    shutil.copytree(sources, image, ignore=shutil.ignore_patterns("__pycache__"))
    port = _free_port()
    environment = {
        "PATH": "/usr/bin:/bin",
        "MEC_PLATFORM_URL": platform.url,
        "MEC_PLATFORM_CA": str(trust / "ca.pem"),
        "MEC_APP_INSTANCE_ID": instance_id,
        "MEC_TOKEN_URL": f"{platform.url}/token",
        "MEC_CLIENT_ID": instance_id,
        "MEC_CLIENT_SECRET": platform.enrol(instance_id),
        "MEC_APP_ADDRESS": "127.0.0.1",
        "MEC_APP_PORT": str(port),
    }
    environment = {key: value for key, value in (environment | changes).items() if value}
    output = tmp_path / f"{instance_id}.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [SYSTEM_PYTHON, "-B", f"{name}.py"], cwd=image, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    return App(instance_id, f"http://127.0.0.1:{port}", process, output)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.01)
