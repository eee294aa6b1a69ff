"""A running application, as a test sees it: its process, its address, its words."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

EXAMPLES = Path(__file__).parents[3] / "examples"
SYSTEM_PYTHON = str(getattr(sys, "_base_executable", sys.executable))
"""The interpreter outside the virtual environment: applications have nothing of ours."""


class Seen(NamedTuple):
    """An answer of an application."""

    status: int
    media_type: str
    body: bytes

    @property
    def json(self) -> Any:
        """The body's meaning."""
        return json.loads(self.body)


def call(method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Seen:
    """One plain HTTP request on a connection of its own."""
    target = urlsplit(url)
    connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=20)
    try:
        connection.request(method, target.path, body, headers or {})
        response = connection.getresponse()
        return Seen(response.status, response.getheader("Content-Type", ""), response.read())
    finally:
        connection.close()


class App:
    """One instance; ``url`` is where it serves."""

    def __init__(self, instance_id: str, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.instance_id = instance_id
        self.url = url
        self.process = process
        self._log = log

    def get(self, path: str) -> Seen:
        """GET from the application."""
        return call("GET", self.url + path)

    def post(self, path: str, body: bytes, media_type: str = "audio/wav") -> Seen:
        """POST to the application."""
        return call("POST", self.url + path, body, {"Content-Type": media_type})

    def exit_code(self) -> int:
        """Wait for the end."""
        return self.process.wait(100)

    def output(self) -> str:
        """What it wrote."""
        return self._log.read_text()

    def end(self) -> None:
        """End it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(100)


class Deployment(Protocol):
    """Starts an example by name; ``changes`` to its environment, empty ones are left out."""

    def __call__(self, name: str, wait: bool = True, **changes: str) -> App: ...
