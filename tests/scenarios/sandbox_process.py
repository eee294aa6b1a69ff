"""``hanse sandbox`` as a developer starts it: a process of its own, on addresses that nobody else uses."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from hanse.scenarios.stage import claim

ALICE, BOB = "Basic YWxpY2U6c2VjcmV0", "Bearer bobs-own"
PREFIX = "/sandbox/mep"
READY_PATIENCE = 90.0


@dataclass(frozen=True)
class Place:
    """Addresses of one sandbox: the platform's, the apps', the virtual one, two devices."""

    network: str

    def __getattr__(self, name: str) -> str:
        ends = {"platform": "1.1", "app": "1.100", "virtual": "200.1", "tagged": "200.2", "alice": "100.1"}
        return self.network + (ends | {"bob": "100.2"})[name]


@dataclass
class Running:
    """A sandbox that runs, and what it printed when it was ready."""

    place: Place
    process: subprocess.Popen[str]
    told: dict[str, Any]

    @property
    def names(self) -> tuple[str, int]:
        """Its name server."""
        address, _, port = str(self.told["names"]).partition(":")
        return address, int(port)

    def stop(self) -> int:
        """End it as Ctrl-C does; its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def call(
        self, method: str, path: str, body: Any = None, token: str = ALICE, **headers: str
    ) -> tuple[int, Any, Any]:
        """One request below its URL, or at a whole one: status, headers, body."""
        return asyncio.run(self._call(method, path, body, token, headers))

    async def _call(
        self, method: str, path: str, body: Any, token: str, headers: dict[str, str]
    ) -> tuple[int, Any, Any]:
        trust = ssl.create_default_context(cafile=self.told["authority"]) if self.told["authority"] else False
        url = path if path.startswith("http") else self.told["url"] + path
        sent = headers | ({"authorization": token} if token else {})
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session,
            session.request(method, url, json=body, headers=sent, ssl=trust) as response,
        ):
            raw = await response.read()
            return response.status, response.headers, json.loads(raw) if raw else None


@contextmanager
def networks() -> Iterator[Place]:
    """Addresses of one sandbox, ours until the end."""
    handle, found = claim()
    try:
        yield Place(found["127.10."])
    finally:
        os.close(handle)


@contextmanager
def started(place: Place, *words: str, temporary: Path | None = None) -> Iterator[Running]:
    """A sandbox that is ready; afterwards it does not run any more, whatever happened."""
    environment = os.environ | ({"TMPDIR": str(temporary)} if temporary else {})
    command = [sys.executable, "-m", "hanse", "sandbox", "--json", "--address", place.platform, *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], READY_PATIENCE)
        line = process.stdout.readline() if ready else ""
        assert line.startswith("{"), process.communicate(timeout=5)
        yield Running(place, process, json.loads(line))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def seed_file(directory: Path, place: Place, callback: str = "http://127.0.0.1:9/") -> Path:
    """Two apps: Alice's with rules, a service and subscriptions, and Bob's with none."""
    to_itself = [{"interfaceType": "IP", "dstIPAddress": "0.0.0.0"}]
    rule = {"filterType": "FLOW", "priority": 1, "action": "FORWARD_DECAPSULATED", "dstInterface": to_itself}
    open_filter = {"dstAddress": [place.virtual], "dstPort": ["8000"], "protocol": ["tcp"]}
    tagged_filter = open_filter | {"dstAddress": [place.tagged], "tag": ["tag-alice"]}
    name = {"dnsRuleId": "name", "domainName": "app.example.com", "ipAddressType": "IP_V4", "ipAddress": place.virtual}
    transport = {"id": "t", "name": "REST", "type": "REST_HTTP", "protocol": "HTTP", "version": "1.1", "security": {}}
    endpoint = {"uris": [f"http://{place.app}:8080/"]}
    service = {"serName": "speech", "version": "1", "state": "ACTIVE", "serializer": "JSON"}
    wanted = {"callbackReference": callback}
    seed = {
        "zones": ["example.com"],
        "data_plane": place.network + "1.2",
        "devices": {
            "alice": {"address": place.alice, "tags": ["tag-alice"]},
            "bob": {"address": place.bob, "tags": ["tag-bob"]},
        },
        "apps": [
            {
                "id": "app-alice",
                "storage": 1_000_000,
                "address": place.app,
                "tokens": [ALICE],
                "traffic_rules": [
                    rule | {"trafficRuleId": "open", "trafficFilter": [open_filter]},
                    rule | {"trafficRuleId": "tagged", "trafficFilter": [tagged_filter]},
                ],
                "dns_rules": [name],
            },
            {"id": "app-bob", "tokens": [BOB]},
        ],
        "services": [
            {
                "app": "app-alice",
                "id": "speech-1",
                "info": service | {"transportInfo": transport | {"endpoint": endpoint}},
            }
        ],
        "subscriptions": [
            {"app": "app-bob", "id": "sub-1", "body": wanted | {"subscriptionType": AVAILABILITY}},
            {
                "app": "app-alice",
                "id": "sub-2",
                "body": wanted | {"subscriptionType": TERMINATION, "appInstanceId": "app-alice"},
            },
        ],
    }
    path = directory / "seed.json"
    path.write_text(json.dumps(seed))
    return path


AVAILABILITY = "SerAvailabilityNotificationSubscription"
TERMINATION = "AppTerminationNotificationSubscription"
