"""A developer starts a sandbox and finds a whole MEC host there: every API, real traffic, real names."""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hanse.elements.ue import Device
from hanse.kit.problems import Problem
from tests.bounds import SOON
from tests.scenarios.sandbox_process import (
    ALICE,
    BOB,
    PREFIX,
    TERMINATION,
    Place,
    Running,
    networks,
    seed_file,
    started,
)

OWN = "/mec_app_support/v2/applications/app-alice"
TAGS = "/ui/v1/app-alice/ue_identity_tag_info"


class Server(ThreadingHTTPServer):
    """An app's own server: greets by GET, keeps what is POSTed."""

    def __init__(self, address: str, port: int) -> None:
        self.posted: list[bytes] = []
        self.news = threading.Condition()
        super().__init__((address, port), Handler)

    def await_posts(self, count: int) -> None:
        """Return when that many came."""
        with self.news:
            assert self.news.wait_for(lambda: len(self.posted) >= count, SOON)


class Handler(BaseHTTPRequestHandler):
    """HTTP of that server."""

    server: Server

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.server.news:
            self.server.posted.append(body)
            self.server.news.notify_all()
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(address: str, port: int, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(address, port)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with networks() as found:
        yield found


@pytest.fixture(scope="module")
def app(place: Place) -> Iterator[Server]:
    with serving(place.app, 8080) as server:
        yield server


@pytest.fixture(scope="module")
def sandbox(place: Place, app: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    seed = seed_file(tmp_path_factory.mktemp("seed"), place, f"http://{place.app}:8080/callback")
    with started(place, "--seed", str(seed), "--prefix", PREFIX) as running:
        yield running


def reached(running: Running, device: str, address: str) -> bool:
    """Whether a device gets the app's greeting at an address."""
    asking = Device(device, running.names, timeout=SOON)
    try:
        return asyncio.run(asking.request("GET", f"http://{address}:8000/")).body == b"hello"
    except Problem as problem:
        if problem.status != 503:  # refused, as by a data plane that has no rule
            raise
        return False


def test_it_allows_itself_more_connections_than_it_was_started_with() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with networks() as place, started(place) as running:
            now, _ = resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert now > 256


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_three_commands_that_it_prints_work_as_they_stand(sandbox: Running) -> None:
    assert len(sandbox.told["try"]) == 3
    for command in sandbox.told["try"]:
        assert sandbox.told["authority"] in command
        done = subprocess.run(f"{command} --silent --fail", shell=True, capture_output=True, timeout=100)
        assert (done.returncode, done.stdout[:1] in (b"[", b"{")) == (0, True), (command, done.stderr)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_work_whatever_the_directory_and_the_token_are(tmp_path: Path) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text('[[apps]]\nid = "one"\ntokens = ["Custom it\'s $HOME \\"x\\" `id`"]\n')
    with networks() as place, started(place, "--seed", str(seed), "--home", str(tmp_path / "my home's")) as running:
        for command in running.told["try"]:
            done = subprocess.run(f"{command} --silent --fail", shell=True, capture_output=True, timeout=100)
            assert done.returncode == 0, (command, done.stderr)


def test_whoever_reads_its_output_sees_what_to_try_while_it_runs(tmp_path: Path) -> None:
    with networks() as place:
        command = [sys.executable, "-m", "hanse", "sandbox", "--address", place.platform]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline().strip()]
            while lines[-1] not in ("Ctrl-C stops it.", ""):
                lines.append(process.stdout.readline().strip())
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
    assert lines[0] == f"MEC host at https://{place.platform}:8443"
    assert [line.split()[0] for line in lines[1:4]] == ["authority", "name", "app"]
    assert sum(line.startswith("curl --cacert ") for line in lines) == 3


def test_what_was_seeded_is_there_at_once_under_its_own_id(sandbox: Running) -> None:
    status, _, service = sandbox.call("GET", "/mec_service_mgmt/v1/services/speech-1", token=BOB)
    assert (status, service["serName"], service["serInstanceId"]) == (200, "speech", "speech-1")
    assert service["_links"]["self"]["href"] == sandbox.told["url"] + "/mec_service_mgmt/v1/services/speech-1"
    for owner, token, base, name in (
        ("app-bob", BOB, "mec_service_mgmt/v1", "sub-1"),
        ("app-alice", ALICE, "mec_app_support/v1", "sub-2"),
    ):
        path = f"/{base}/applications/{owner}/subscriptions/{name}"
        assert sandbox.call("GET", path, token=token)[0] == 200, path
    rules = sandbox.call("GET", f"{OWN}/traffic_rules")[2]
    assert [(rule["trafficRuleId"], rule["state"]) for rule in rules] == [("open", "ACTIVE"), ("tagged", "INACTIVE")]
    assert sandbox.call("GET", f"{OWN}/dns_rules/name")[2]["domainName"] == "app.example.com"


def test_an_app_written_for_other_paths_changes_only_the_host(sandbox: Running) -> None:
    for version in ("v1", "v2"):
        assert sandbox.call("GET", f"/mec_app_support/{version}/timing/current_time")[0] == 200, version


def test_an_app_that_forgets_the_prefix_fails_here_as_it_would_elsewhere(sandbox: Running) -> None:
    origin = sandbox.told["url"].removesuffix(PREFIX)
    for below in ("/mec_service_mgmt/v1/services", "/other/mep/mec_service_mgmt/v1/services", "/", "/oauth2/token"):
        assert sandbox.call("GET", origin + below)[0] == 404, below
    assert sandbox.call("GET", origin + "/mec_service_mgmt/v1/openapi.json", token="")[0] == 401


def test_what_is_made_below_one_version_of_application_support_is_there_below_the_other(sandbox: Running) -> None:
    own = "/mec_app_support/{}/applications/app-bob/subscriptions"
    wanted = {"subscriptionType": TERMINATION, "callbackReference": "http://127.0.0.1:9/", "appInstanceId": "app-bob"}
    for below, other in (("v1", "v2"), ("v2", "v1")):
        status, headers, made = sandbox.call("POST", own.format(below), wanted, token=BOB)
        assert (status, headers["Location"]) == (201, made["_links"]["self"]["href"])
        identifier = headers["Location"].rpartition("/")[2]
        assert headers["Location"] == f"{sandbox.told['url']}{own.format(below)}/{identifier}"
        there = f"{sandbox.told['url']}{own.format(other)}/{identifier}"
        assert sandbox.call("GET", there, token=BOB)[2] == made | {"_links": {"self": {"href": there}}}
        assert sandbox.call("DELETE", f"{own.format(other)}/{identifier}", token=BOB)[0] == 204
        assert sandbox.call("GET", f"{own.format(below)}/{identifier}", token=BOB)[0] == 404


def test_limits_of_the_seed_hold_for_its_apps(tmp_path: Path) -> None:
    limits = "[limits]\npage_size = 1\napp_services = 2\nrequests_per_second = 0.01\nburst = 6\n"
    apps = "".join(f'[[apps]]\nid = "{name}"\ntokens = ["Bearer {name}"]\n' for name in ("one", "two"))
    seed = tmp_path / "seed.toml"
    seed.write_text(limits + apps)
    transport = {"id": "t", "name": "REST", "type": "REST_HTTP", "protocol": "HTTP", "version": "1", "security": {}}
    transport |= {"endpoint": {"uris": ["http://127.0.0.1:8080/"]}}
    service = {"serName": "s", "version": "1", "state": "ACTIVE", "serializer": "JSON", "transportInfo": transport}
    own = "/mec_service_mgmt/v1/applications/one/services"
    with networks() as place, started(place, "--seed", str(seed)) as running:
        assert [running.call("POST", own, service, token="Bearer one")[0] for _ in range(3)] == [201, 201, 403]
        _, headers, page = running.call("GET", own, token="Bearer one")
        rest = headers["Link"].partition("<")[2].partition(">")[0]
        _, last, more = running.call("GET", rest, token="Bearer one")
        assert (len(page), len(more), "Link" in last) == (1, 1, False)
        assert running.call("GET", own, token="Bearer one")[0] == 200
        status, headers, _ = running.call("GET", own, token="Bearer one")
        assert (status, int(headers["Retry-After"]) > 0) == (429, True)
        assert running.call("GET", own.replace("one", "two"), token="Bearer two")[0] == 200, "each app has its own"


@pytest.mark.parametrize("token", ["", "Basic YWxpY2U6b3RoZXI=", "Bearer none", "bobs-own", "Bearer YWxpY2U6c2VjcmV0"])
def test_whoever_has_no_token_of_the_seed_reaches_nothing(sandbox: Running, token: str) -> None:
    assert sandbox.call("GET", "/mec_service_mgmt/v1/services", token=token)[0] == 401


def test_a_token_speaks_for_its_own_app_only(sandbox: Running) -> None:
    assert sandbox.call("GET", f"{OWN}/traffic_rules", token=BOB)[0] == 403
    assert sandbox.call("GET", f"{TAGS}?ueIdentityTag=tag-alice", token=BOB)[0] == 403


def test_nothing_but_mp1_is_served(sandbox: Running) -> None:
    assert sandbox.call("GET", "/mm5/v1/applications/app-alice/standing")[0] == 404


def test_a_token_endpoint_issues_tokens_to_the_apps_of_the_seed(sandbox: Running) -> None:
    bob = sandbox.told["apps"][1]
    assert bob["id"] == "app-bob"
    form = f"grant_type=client_credentials&client_id={bob['client_id']}&client_secret={bob['client_secret']}"
    endpoint = sandbox.told["url"] + "/oauth2/token"
    command = ["curl", "--silent", "--cacert", sandbox.told["authority"], "--data", form, endpoint]
    done = subprocess.run(command, capture_output=True, timeout=100)
    token = json.loads(done.stdout)["access_token"]
    path = "/mec_service_mgmt/v1/applications/app-bob/services"
    assert sandbox.call("GET", path, token=f"Bearer {token}")[0] == 200
    assert sandbox.call("GET", f"{OWN}/traffic_rules", token=f"Bearer {token}")[0] == 403


def test_a_name_of_the_seed_leads_a_device_to_the_app(sandbox: Running) -> None:
    device = Device(sandbox.place.alice, sandbox.names, timeout=SOON)
    answer = asyncio.run(device.request("GET", "http://app.example.com:8000/"))
    assert (answer.status, answer.body) == (200, b"hello")


def test_a_registered_tag_lets_its_device_through_and_nobody_else(sandbox: Running) -> None:
    place = sandbox.place

    def switch(state: int) -> None:
        body = {"ueIdentityTags": [{"ueIdentityTag": "tag-alice", "state": state}]}
        assert sandbox.call("PUT", TAGS, body)[::2] == (200, body)

    assert not reached(sandbox, place.alice, place.tagged)
    switch(1)
    assert reached(sandbox, place.alice, place.tagged)
    assert not reached(sandbox, place.bob, place.tagged)
    assert sandbox.call("GET", f"{OWN}/traffic_rules/tagged")[2]["state"] == "ACTIVE"
    switch(0)
    assert not reached(sandbox, place.alice, place.tagged)


def test_a_seeded_subscription_is_told_of_a_new_service(sandbox: Running, app: Server) -> None:
    path = "/mec_service_mgmt/v1/applications/app-alice/services"
    before, known = len(app.posted), sandbox.call("GET", f"{path}/speech-1")[2]
    new = {k: known[k] for k in ("version", "state", "serializer", "transportInfo")} | {"serName": "undeclared"}
    assert sandbox.call("POST", path, new)[0] == 201
    app.await_posts(before + 1)
    told = json.loads(app.posted[-1])
    assert [reference["serName"] for reference in told["serviceReferences"]] == ["undeclared"]
    own = "/mec_service_mgmt/v1/applications/app-bob/subscriptions/sub-1"
    assert told["_links"]["subscription"]["href"] == sandbox.told["url"] + own


def test_a_service_on_the_platforms_transport_is_called_at_the_uri_that_consumers_are_told(sandbox: Running) -> None:
    path = "/mec_service_mgmt/v1/applications/app-alice/services"
    known = sandbox.call("GET", f"{path}/speech-1")[2]
    chosen = {k: known[k] for k in ("version", "state", "serializer")} | {"serName": "h", "transportId": "rest-http"}
    status, headers, made = sandbox.call("POST", path, chosen)
    assert status == 201, made
    (uri,) = made["transportInfo"]["endpoint"]["uris"]
    command = ["curl", "--silent", "--cacert", sandbox.told["authority"], "-H", f"Authorization: {BOB}", f"{uri}/hello"]
    assert subprocess.run(command, capture_output=True, timeout=100).stdout == b"hello"
    assert sandbox.call("DELETE", headers["location"])[0] == 204


def test_an_app_of_the_seed_registers_itself(sandbox: Running) -> None:
    here, info = "/mec_app_support/v1/registrations", {"appName": "mine", "endpoint": {"uris": ["http://a/"]}}
    status, headers, body = sandbox.call("POST", here, info, token=BOB)
    assert (status, body["appInstanceId"]) == (201, "app-bob")
    assert sandbox.call("GET", headers["location"], token=BOB)[2] == body
    assert sandbox.call("DELETE", headers["location"], token=BOB)[0] == 204


def test_the_index_leads_anyone_to_the_description_of_every_base(sandbox: Running) -> None:
    status, _, index = sandbox.call("GET", "/", token="")
    assert status == 200
    bases = [entry["base"].removeprefix(sandbox.told["url"]) for entry in index["apis"]]
    assert {"/mec_service_mgmt/v1", "/mec_app_support/v1", "/mec_app_support/v2", "/ui/v1"} <= set(bases)
    for entry in index["apis"]:
        status, _, described = sandbox.call("GET", entry["description"], token="")
        assert (status, described["servers"]) == (200, [{"url": entry["base"]}])
    assert index["tokenEndpoint"] == sandbox.told["url"] + "/oauth2/token"


def test_a_home_keeps_what_apps_did_and_a_seed_planted_again_is_there_once(tmp_path: Path) -> None:
    with networks() as place:
        words = ["--seed", str(seed_file(tmp_path, place)), "--home", str(tmp_path / "home"), "--grace", "1"]
        tag = {"ueIdentityTags": [{"ueIdentityTag": "tag-alice", "state": 1}]}
        with started(place, *words) as first:
            assert first.call("PUT", TAGS, tag)[0] == 200
            kept = Path(first.told["apps"][0]["volume"]) / "kept"
            kept.write_text("a map")
            assert first.stop() == 0
        with serving(place.app, 8080), started(place, *words) as second:
            assert second.call("GET", f"{TAGS}?ueIdentityTag=tag-alice")[2] == tag
            assert reached(second, place.alice, place.tagged)
            assert [app["volume"] for app in second.told["apps"]] == [str(kept.parent), ""]
            assert kept.read_text() == "a map"
            assert [s["serInstanceId"] for s in second.call("GET", "/mec_service_mgmt/v1/services")[2]] == ["speech-1"]
            assert second.stop() == 0


def test_an_app_that_listens_is_told_when_the_sandbox_stops_and_may_confirm(tmp_path: Path) -> None:
    with networks() as place, serving(place.app, 8080) as app:
        seed = str(seed_file(tmp_path, place, f"http://{place.app}:8080/callback"))
        with started(place, "--seed", seed, "--grace", "60", "--home", str(tmp_path / "home")) as running:
            began = time.monotonic()
            running.process.send_signal(signal.SIGINT)
            app.await_posts(1)
            told = next(t for t in map(json.loads, app.posted) if t["notificationType"].startswith("AppTermination"))
            assert (told["operationAction"], told["maxGracefulTimeout"]) == ("STOPPING", 60)
            confirm = told["_links"]["confirmTermination"]["href"]
            assert running.call("POST", confirm, {"operationAction": "STOPPING"})[0] == 204
            assert running.process.wait(50) == 0
            assert time.monotonic() - began < 50, "who has confirmed is not waited for"
        with started(place, "--seed", seed, "--grace", "0", "--home", str(tmp_path / "home")) as again:
            assert again.call("POST", f"{OWN}/confirm_ready", {"indication": "READY"})[0] == 204
            assert again.call("GET", "/mec_service_mgmt/v1/services/speech-1")[0] == 200
            assert reached(again, place.alice, place.virtual)
            assert again.stop() == 0
        kinds = [json.loads(body)["notificationType"] for body in app.posted]
        assert kinds.count("AppTerminationNotification") == 1, "with no grace nobody is told"


def test_an_app_that_knows_no_tokens_changes_only_the_host_in_its_url(tmp_path: Path) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text('[[apps]]\nid = "mine"\nanonymous = true\n[[apps]]\nid = "other"\n')
    with networks() as place, started(place, "--seed", str(seed), "--prefix", PREFIX) as running:
        below = f"{PREFIX}/mec_app_support/v1/applications"
        origin = running.told["url"].removesuffix(PREFIX)
        ready = {"indication": "READY"}
        assert running.call("POST", f"{origin}{below}/mine/confirm_ready", ready, token="")[0] == 204
        assert running.call("GET", f"{origin}{PREFIX}/mec_service_mgmt/v1/services", token="")[0] == 200
        assert running.call("POST", f"{origin}{below}/other/confirm_ready", ready, token="")[0] == 403
        assert running.call("GET", f"{origin}{below}/mine/subscriptions", token="Bearer wrong")[0] == 401
        trust = ssl.create_default_context(cafile=running.told["authority"])
        trust.maximum_version = ssl.TLSVersion.TLSv1_2
        plain = socket.create_connection((place.platform, 8443))
        with trust.wrap_socket(plain, server_hostname="localhost") as secure:
            assert secure.version() == "TLSv1.2", "mandatory for Mp1 (MEC 011, 7.2.2)"
        assert running.stop() == 0


def test_without_a_home_nothing_is_left(tmp_path: Path) -> None:
    with networks() as place, started(place, "--plain", temporary=tmp_path) as running:
        assert running.told["url"] == f"http://{place.platform}:8443"
        own = running.told["apps"][0]
        path = f"/mec_app_support/v2/applications/{own['id']}/confirm_ready"
        assert running.call("POST", path, {"indication": "READY"}, token=own["token"])[0] == 204
        assert [p.name.startswith("hanse-sandbox-") for p in tmp_path.iterdir()] == [True]
        assert running.stop() == 0
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--plain", "--address", "192.0.2.1"], "loopback only"),
        (["--prefix", "no slash"], "prefix"),
        (["--seed", "none.toml"], "Cannot read none.toml"),
    ],
)
def test_what_cannot_be_is_one_line_and_a_hint(words: list[str], said: str, tmp_path: Path) -> None:
    _refused(words, said, tmp_path)


def test_a_taken_port_is_told_with_its_holder(sandbox: Running, tmp_path: Path) -> None:
    _refused(["--address", sandbox.place.platform], f"pid {sandbox.process.pid}", tmp_path)


def test_a_rule_that_nobody_could_carry_out_is_named(tmp_path: Path) -> None:
    seed: Any = tmp_path / "seed.toml"
    seed.write_text(
        '[[apps]]\nid = "one"\n[[apps.traffic_rules]]\ntrafficRuleId = "r"\nfilterType = "FLOW"\npriority = 300\n'
        'action = "DROP"\ntrafficFilter = [{}]\n'
    )
    with networks() as place:
        _refused(
            ["--address", place.platform, "--seed", str(seed)], "Seed, app one: Invalid attribute priority", tmp_path
        )


def _refused(words: list[str], said: str, directory: Path) -> None:
    command = [sys.executable, "-m", "hanse", "sandbox", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=directory)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
