"""Clients that others wrote find their way by what a sandbox serves: pages in a browser, and programs made of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jsonschema
import pytest

from tests.contract.foreign import Foreign, Heard, seeded, service
from tests.scenarios.sandbox_process import ALICE, AVAILABILITY, TERMINATION

PAGE = "http://localhost:3000"
SERVICES = "/mec_service_mgmt/v1/services"
FUZZED = ("mec_service_mgmt/v1", "mec_app_support/v2", "ui/v1")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    with seeded(tmp_path_factory.mktemp("seed"), "--allow-origin", PAGE) as client:
        yield client


def described(foreign: Foreign) -> Iterator[dict[str, Any]]:
    """Every description, found from the one URL that the sandbox printed."""
    for entry in foreign.ask("GET", f"{foreign.url}/", token="").body["apis"]:
        yield foreign.ask("GET", entry["description"], token="").body


def test_a_page_that_was_allowed_makes_a_service_and_reads_where_it_is(foreign: Foreign) -> None:
    path, page = "/mec_service_mgmt/v1/applications/app-alice/subscriptions", {"Origin": PAGE}
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    before = foreign.ask("OPTIONS", path, token="", fields=page | wanted)
    assert before.status == 204
    assert (before.fields["Access-Control-Allow-Origin"], before.fields["Access-Control-Allow-Headers"]) == (
        PAGE,
        "authorization,content-type",
    )
    body = {"subscriptionType": "SerAvailabilityNotificationSubscription", "callbackReference": "http://127.0.0.1:9/"}
    made = foreign.ask("POST", path, body, fields=page)
    assert (made.status, made.fields["Access-Control-Allow-Origin"]) == (201, PAGE)
    assert {"Location", "ETag"} <= set(made.fields["Access-Control-Expose-Headers"].split(", "))
    assert foreign.ask("GET", made.fields["Location"], fields=page).body == made.body


@pytest.mark.parametrize("path", ["/", "/ui/v1/openapi.json", "/mec_service_mgmt/v1/none", "/oauth2/token"])
def test_a_page_reads_descriptions_tokens_and_refusals_too(foreign: Foreign, path: str) -> None:
    assert foreign.ask("GET", path, fields={"Origin": PAGE}).fields["Access-Control-Allow-Origin"] == PAGE
    assert "Access-Control-Allow-Origin" not in foreign.ask("GET", path, fields={"Origin": PAGE + "1"}).fields


def test_without_the_option_no_page_reads_anything(tmp_path: Path) -> None:
    with seeded(tmp_path) as strict:
        heard = strict.ask("GET", "/mec_service_mgmt/v1/services", fields={"Origin": PAGE})
        assert (heard.status, [n for n in heard.fields if n.startswith("Access-Control")]) == (200, [])


def test_an_origin_that_cannot_be_is_one_line_and_a_hint(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hanse", "sandbox", "--allow-origin", "localhost:3000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=tmp_path)
    assert done.returncode == 1
    assert "Invalid origin localhost:3000" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_application_of_the_etsi_sandbox_goes_from_ready_to_gone(tmp_path: Path) -> None:
    """The calls of AdvantEDGE's demo on Mp1, in the bodies that its generated client in Go writes, without a token."""
    with seeded(tmp_path, more={"id": "mine", "anonymous": True}) as demo:
        mgmt, support = "/mec_service_mgmt/v1/applications/mine", "/mec_app_support/v1/applications/mine"

        def said(method: str, path: str, body: Any = None) -> Heard:
            return demo.ask(method, path, body, token="", fields={"Accept": "application/json"})

        assert said("POST", f"{support}/confirm_ready", {"indication": "READY"}).status == 204
        back = "http://127.0.0.1:8093/services/callback"
        end = {"subscriptionType": TERMINATION, "callbackReference": f"{back}/termination", "appInstanceId": "mine"}
        news = {"subscriptionType": AVAILABILITY, "callbackReference": f"{back}/service-availability", "_links": None}
        category = {"href": "catalogueHref", "id": "amsId", "name": "AMSI", "version": "v1"}
        wanted = service("demo", serCategory=category, scopeOfLocality="MEC_SYSTEM", isLocal=False, _links=None)
        wanted["transportInfo"] |= {"security": None}
        made = [
            said("POST", f"{support}/subscriptions", end),
            said("POST", f"{mgmt}/subscriptions", news | {"filteringCriteria": {"isLocal": True}}),
            said("POST", f"{mgmt}/services", wanted),
        ]
        assert [heard.status for heard in made] == [201, 201, 201], [heard.body for heard in made]
        found = {one["serName"]: one["transportInfo"]["endpoint"]["uris"][0] for one in said("GET", SERVICES).body}
        assert {"speech", "demo"} <= found.keys()
        names = [heard.body["_links"]["self"]["href"].rpartition("/")[2] for heard in made]
        gone = zip((f"{support}/subscriptions", f"{mgmt}/subscriptions", f"{mgmt}/services"), names, strict=True)
        assert [said("DELETE", f"{path}/{name}").status for path, name in gone] == [204, 204, 204]


def test_a_program_gets_its_token_by_what_the_description_says(foreign: Foreign) -> None:
    own = foreign.running.told["apps"][0]
    for document in described(foreign):
        schemes = document["components"]["securitySchemes"]
        assert {name: schemes[name].get("scheme") for name in ("basic", "bearer")} == {
            "basic": "basic",
            "bearer": "bearer",
        }
        url = schemes["oauth2"]["flows"]["clientCredentials"]["tokenUrl"]
        form = urlencode({"grant_type": "client_credentials"} | {n: own[n] for n in ("client_id", "client_secret")})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        told = foreign.ask("POST", url, form, token="", fields=kind)
        token = f"Bearer {told.body['access_token']}"
        for heard in _everything_read(foreign, document, token):
            assert heard.status == 200, heard.body


def _everything_read(foreign: Foreign, document: dict[str, Any], token: str) -> Iterator[Heard]:
    """What each list of a description answers, held against the schema that it names."""
    (server,) = document["servers"]
    for path, item in document["paths"].items():
        if "get" not in item or "{" in path.replace("{appInstanceId}", "") or path.endswith("}"):
            continue
        asked = path.replace("{appInstanceId}", "app-alice")
        if any(parameter["required"] for parameter in item["get"]["parameters"] if parameter["in"] == "query"):
            asked += "?ueIdentityTag=tag-alice"
        heard = foreign.ask("GET", server["url"] + asked, token=token)
        schema = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator(schema | {"components": document["components"]}).validate(heard.body)
        yield heard


@pytest.mark.slow
@pytest.mark.parametrize("base", FUZZED)
def test_a_tool_that_reads_the_description_alone_finds_no_answer_outside_of_it(
    foreign: Foreign, base: str, tmp_path: Path
) -> None:
    """Schemathesis, as its users start it; what it thinks should be taken and is not, no schema can say."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{foreign.url}/{base}/openapi.json"]
    command += ["--tls-verify", foreign.running.told["authority"], "-H", f"Authorization: {ALICE}"]
    command += ["--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing", "-n", "3", "--seed", "1", "--no-color"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " generated" in done.stdout
