"""In a sandbox apps put into their rules what they like, and yet none gets at devices or names of another."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hanse.elements.ue import Device
from tests.bounds import SOON
from tests.scenarios.sandbox_process import ALICE, BOB, Place, Running, networks, started

APPS = {"alice": ALICE, "bob": BOB}
PORT = 8000


def own(place: Place, name: str) -> str:
    """Where an app listens itself."""
    return place.network + {"alice": "1.100", "bob": "1.101"}[name]


def virtual(place: Place, number: int) -> str:
    return f"{place.network}200.{number}"


def seed(place: Place, number: int, name: str) -> dict[str, Any]:
    """An app that takes what is sent to a virtual address of its own, which has its name."""
    address = virtual(place, number)
    rule = {
        "trafficRuleId": "in",
        "filterType": "FLOW",
        "priority": 1,
        "action": "FORWARD_DECAPSULATED",
        "trafficFilter": [{"dstAddress": [address], "dstPort": [str(PORT)], "protocol": ["tcp"]}],
        "dstInterface": [{"interfaceType": "IP", "dstIPAddress": "0.0.0.0"}],
    }
    dns = {"dnsRuleId": "name", "domainName": f"{name}.example.com", "ipAddressType": "IP_V4", "ipAddress": address}
    app = {"id": f"app-{name}", "address": own(place, name), "tokens": [APPS[name]]}
    return app | {"traffic_rules": [rule], "dns_rules": [dns]}


@contextmanager
def serving(address: str, word: str) -> Iterator[None]:
    """An app that says a word."""

    class Says(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(word)))
            self.end_headers()
            self.wfile.write(word.encode())

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer((address, 8080), Says)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module", params=["", "granted"], ids=["by default", "granted"])
def sandbox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with ExitStack() as stack:
        place = stack.enter_context(networks())
        content: dict[str, Any] = {"zones": ["example.com"], "data_plane": place.network + "1.2"}
        content["apps"] = [seed(place, number, name) for number, name in enumerate(APPS, 1)]
        if request.param:
            content["rules"] = request.param
        for name in APPS:
            stack.enter_context(serving(own(place, name), name))
        path: Path = tmp_path_factory.mktemp("seed") / "seed.json"
        path.write_text(json.dumps(content))
        yield stack.enter_context(started(place, "--seed", str(path)))


@pytest.fixture
def free(sandbox: Running, request: pytest.FixtureRequest) -> bool:
    return "by default" in request.node.name


def heard(sandbox: Running, host: str) -> str:
    """What a device is told there."""
    answer = asyncio.run(
        Device(sandbox.place.alice, sandbox.names, timeout=SOON).request("GET", f"http://{host}:{PORT}/")
    )
    return answer.body.decode()


def change(sandbox: Running, kind: str, rule: str, version: str, **changes: Any) -> tuple[int, Any]:
    """Bob's app changes one of its rules."""
    path = f"/mec_app_support/{version}/applications/app-bob/{kind}/{rule}"
    before = sandbox.call("GET", path, token=BOB)[2]
    status, _, body = sandbox.call("PUT", path, before | changes, token=BOB)
    return status, body


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("priority", [0, 1, 200])
def test_devices_of_another_app_stay_with_it_whatever_priority_is_asked_for(
    sandbox: Running, version: str, priority: int
) -> None:
    anothers = [{"dstAddress": [virtual(sandbox.place, 1)], "dstPort": [str(PORT)]}]
    wanted: list[list[dict[str, Any]]] = [anothers, [{}], [{"dstAddress": [sandbox.place.network + "0.0/16"]}]]
    for filters in wanted:
        status, body = change(sandbox, "traffic_rules", "in", version, priority=priority, trafficFilter=filters)
        assert (status, body["status"]) == (403, 403)
        assert heard(sandbox, virtual(sandbox.place, 1)) == heard(sandbox, "alice.example.com") == "alice"
    assert heard(sandbox, "bob.example.com") == "bob"


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_name_stays_with_its_app_and_no_rule_leads_off_this_machine(sandbox: Running, version: str) -> None:
    status, body = change(sandbox, "dns_rules", "name", version, domainName="Alice.example.com.")
    assert (status, body["title"]) == (400, "Only state may change")
    elsewhere = [{"interfaceType": "IP", "dstIpAddress": "8.8.8.8"}]
    status, body = change(sandbox, "traffic_rules", "in", version, dstInterface=elsewhere)
    assert (status, body["title"]) == (403, "Not allowed: dstInterface[0].dstIpAddress")
    assert heard(sandbox, "alice.example.com") == "alice"
    assert heard(sandbox, "bob.example.com") == "bob"


def test_what_nobody_has_is_taken_unless_the_seed_keeps_apps_to_what_it_gave_them(sandbox: Running, free: bool) -> None:
    third = virtual(sandbox.place, 3)
    filters = [{"dstAddress": [third], "dstPort": [str(PORT)], "protocol": ["tcp"]}]
    status, _ = change(sandbox, "traffic_rules", "in", "v2", trafficFilter=filters)
    assert status == (200 if free else 403)
    assert heard(sandbox, third if free else "bob.example.com") == "bob"
    assert heard(sandbox, "alice.example.com") == "alice"
