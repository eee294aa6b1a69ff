"""An app widens its rule over Mp1: its devices reach it at other ports and addresses, or it learns why they cannot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from hanse.elements.ue import Device
from hanse.kit.problems import Problem
from tests.bounds import SOON
from tests.scenarios.sandbox_process import Place, Running, networks, seed_file, started

RULE = "/mec_app_support/v2/applications/app-alice/traffic_rules/open"


class Greeting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def place() -> Iterator[Place]:
    with networks() as found:
        yield found


@pytest.fixture
def sandbox(place: Place, tmp_path: Path) -> Iterator[Running]:
    with started(place, "--seed", str(seed_file(tmp_path, place))) as running:
        yield running


@pytest.fixture
def app(place: Place) -> Iterator[HTTPServer]:
    server = HTTPServer((place.app, 8080), Greeting)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def widened(running: Running, **wanted: Any) -> tuple[int, Any]:
    """What the platform says to a rule of other filters."""
    rule = running.call("GET", RULE)[2] | {"trafficFilter": [wanted]}
    return running.call("PUT", RULE, rule)[::2]


def greeted(running: Running, address: str, port: int) -> bool:
    asking = Device(running.place.alice, running.names, timeout=SOON)
    try:
        return asyncio.run(asking.request("GET", f"http://{address}:{port}/")).body == b"hello"
    except Problem as problem:
        if problem.status != 503:  # refused, as by a data plane that has no rule
            raise
        return False


def greeted_soon(running: Running, address: str, port: int) -> bool:
    until = time.monotonic() + SOON
    while not (found := greeted(running, address, port)) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def test_without_a_port_devices_reach_an_app_where_it_listens_also_if_it_comes_to_that_later(
    sandbox: Running, place: Place, request: pytest.FixtureRequest
) -> None:
    assert widened(sandbox, dstAddress=[place.virtual], protocol=["tcp"])[0] == 200
    assert not greeted(sandbox, place.virtual, 8080)
    request.getfixturevalue("app")
    assert greeted_soon(sandbox, place.virtual, 8080)


@pytest.mark.usefixtures("app")
def test_without_an_address_devices_reach_an_app_at_any(sandbox: Running, place: Place) -> None:
    port = 11_000 + int(place.network.split(".")[1])  # at every address of this machine: as much ours as the network is
    assert widened(sandbox, dstPort=[str(port)], protocol=["tcp"])[0] == 200
    assert greeted(sandbox, place.virtual, port)
    assert greeted(sandbox, place.network + "200.77", port)


@pytest.mark.usefixtures("app")
def test_without_both_an_app_is_told_why_and_keeps_the_rule_that_it_had(sandbox: Running, place: Place) -> None:
    before = sandbox.call("GET", RULE)[2]
    for wanted in ({"protocol": ["tcp"]}, {"dstPort": ["8080"], "protocol": ["tcp"]}):
        status, problem = widened(sandbox, **wanted)
        assert status == 400
        assert "too wide" in problem["title"]
        assert "taken from the application too" in problem["detail"]
    assert sandbox.call("GET", RULE)[2] == before
    assert greeted(sandbox, place.virtual, 8000)
