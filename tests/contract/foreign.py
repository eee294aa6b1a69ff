"""A client that knows nothing of ours: HTTP by Python's own library, JSON as dictionaries, and a seeded sandbox."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.scenarios.sandbox_process import ALICE, PREFIX, Running, networks, seed_file, started

PATIENCE = 30
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Heard:
    """What came back; ``fields`` as they were spelled."""

    status: int
    fields: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Foreign:
    """Asks a sandbox; paths are those below its URL unless they are whole URLs."""

    running: Running

    @property
    def url(self) -> str:
        """Where it was told that the sandbox is."""
        return str(self.running.told["url"])

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """The authority that the sandbox printed, and no other."""
        return ssl.create_default_context(cafile=self.running.told["authority"])

    def connection(self) -> http.client.HTTPSConnection:
        """A new connection."""
        place = urlsplit(self.url)
        assert place.hostname is not None
        return http.client.HTTPSConnection(place.hostname, place.port, timeout=PATIENCE, context=self.trust)

    def ask(
        self, method: str, path: str, body: Any = None, token: str = ALICE, fields: Mapping[str, str] | None = None
    ) -> Heard:
        """One request on a connection of its own; a body that is no text or bytes goes as JSON."""
        sent = {"Authorization": token} if token else {}
        if body is not None and not isinstance(body, str | bytes):
            body, sent = json.dumps(body), sent | JSON
        target = path if path.startswith("http") else self.url + path
        line = self.connection()
        try:
            line.request(method, target.removeprefix(self.url.removesuffix(PREFIX)), body, sent | dict(fields or {}))
            answer = line.getresponse()
            raw = answer.read()
            return Heard(answer.status, dict(answer.getheaders()), json.loads(raw) if raw else None)
        finally:
            line.close()


@contextmanager
def seeded(directory: Path, *words: str, more: Mapping[str, Any] | None = None) -> Iterator[Foreign]:
    """A client of a sandbox with the apps of Alice and of Bob, and one ``more``, below a prefix."""
    with networks() as place:
        path = seed_file(directory, place)
        if more is not None:
            seed = json.loads(path.read_text())
            path.write_text(json.dumps(seed | {"apps": [*seed["apps"], more]}))
        with started(place, "--seed", str(path), "--prefix", PREFIX, *words) as running:
            yield Foreign(running)


def service(name: str = "maps", **more: Any) -> dict[str, Any]:
    """A service as an app would register it."""
    transport = {"id": "t", "name": "REST", "type": "REST_HTTP", "protocol": "HTTP", "version": "1.1", "security": {}}
    transport |= {"endpoint": {"uris": ["http://127.0.0.1:8080/"]}}
    return {"serName": name, "version": "1", "state": "ACTIVE", "serializer": "JSON", "transportInfo": transport} | more
