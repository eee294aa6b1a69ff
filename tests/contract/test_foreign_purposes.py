"""The purposes for which ETSI GS MEC 032-2 tests a platform, asked as a test suite does that has never seen ours.

They are told by the names of that document, whose suffixes say what is expected: OK, BR (400), NF (404), PF (412).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract.foreign import Foreign, Heard, seeded, service
from tests.scenarios.sandbox_process import AVAILABILITY, BOB, TERMINATION

APP, NONE = "app-alice", "no-such-instance"
MGMT, SUPP, UI = "/mec_service_mgmt/v1", "/mec_app_support/v2", "/ui/v1"
OWN_SERVICES, OWN_RULES = f"{MGMT}/applications/{APP}/services", f"{SUPP}/applications/{APP}"
SUBS = "subscriptions"
NEWS = {"subscriptionType": AVAILABILITY, "callbackReference": "http://127.0.0.1:9/"}
END = {"subscriptionType": TERMINATION, "callbackReference": "http://127.0.0.1:9/", "appInstanceId": APP}
READY, ENDED = {"indication": "READY"}, {"operationAction": "TERMINATING"}
INFO = {"appName": "mine", "endpoint": {"uris": ["http://127.0.0.1:8080/"]}}
DROP: dict[str, Any] = {
    "trafficRuleId": "open",
    "filterType": "FLOW",
    "priority": 1,
    "trafficFilter": [{"dstPort": ["8000"]}],
    "action": "DROP",
    "dstInterface": [],
    "state": "ACTIVE",
}
TAG = {"ueIdentityTags": [{"ueIdentityTag": "tag-alice", "state": 1}]}
BODILESS = (204, 304)


@dataclass(frozen=True)
class Purpose:
    """What is asked for a purpose, and the status that it expects."""

    name: str
    method: str
    path: str
    status: int
    body: Any = None
    match: str = ""


def unknown_instance() -> Iterator[Purpose]:
    """Every path below an application instance, for one that is not there."""
    for method, path, body in (
        ("GET", f"{MGMT}/applications/{NONE}/services", None),
        ("POST", f"{MGMT}/applications/{NONE}/services", service()),
        ("GET", f"{MGMT}/applications/{NONE}/services/speech-1", None),
        ("PUT", f"{MGMT}/applications/{NONE}/services/speech-1", service()),
        ("DELETE", f"{MGMT}/applications/{NONE}/services/speech-1", None),
        ("GET", f"{MGMT}/applications/{NONE}/{SUBS}", None),
        ("POST", f"{MGMT}/applications/{NONE}/{SUBS}", NEWS),
        ("DELETE", f"{MGMT}/applications/{NONE}/{SUBS}/sub-1", None),
        ("GET", f"{SUPP}/applications/{NONE}/{SUBS}", None),
        ("POST", f"{SUPP}/applications/{NONE}/{SUBS}", END | {"appInstanceId": NONE}),
        ("DELETE", f"{SUPP}/applications/{NONE}/{SUBS}/sub-2", None),
        ("GET", f"{SUPP}/applications/{NONE}/traffic_rules", None),
        ("PUT", f"{SUPP}/applications/{NONE}/traffic_rules/open", DROP),
        ("GET", f"{SUPP}/applications/{NONE}/dns_rules", None),
        ("POST", f"{SUPP}/applications/{NONE}/confirm_ready", READY),
        ("POST", f"{SUPP}/applications/{NONE}/confirm_termination", ENDED),
        ("GET", f"{SUPP}/registrations/{NONE}", None),
        ("PUT", f"{SUPP}/registrations/{NONE}", INFO),
        ("DELETE", f"{SUPP}/registrations/{NONE}", None),
        ("GET", f"{UI}/{NONE}/ue_identity_tag_info?ueIdentityTag=tag-alice", None),
        ("PUT", f"{UI}/{NONE}/ue_identity_tag_info", TAG),
    ):
        yield Purpose("NF", method, path, 404, body)


PURPOSES = (
    Purpose("SAQ_001_OK", "GET", f"{MGMT}/services", 200),
    Purpose("SAQ_001_BR", "GET", f"{MGMT}/services?instance_id=x", 400),
    Purpose("SAQ_002_OK", "GET", f"{MGMT}/services/speech-1", 200),
    Purpose("SAQ_002_NF", "GET", f"{MGMT}/services/none", 404),
    Purpose("APPSAQ_001_OK", "GET", OWN_SERVICES, 200),
    Purpose("APPSAQ_001_BR", "GET", f"{OWN_SERVICES}?instance_id=5", 400),
    Purpose("APPSAQ_002_OK", "POST", OWN_SERVICES, 201, service()),
    Purpose("APPSAQ_002_BR", "POST", OWN_SERVICES, 400, service() | {"serName": None}),
    Purpose("APPSAQ_003_OK", "GET", f"{OWN_SERVICES}/speech-1", 200),
    Purpose("APPSAQ_003_NF", "GET", f"{OWN_SERVICES}/none", 404),
    Purpose("APPSAQ_004_OK", "PUT", f"{OWN_SERVICES}/speech-1", 200, service("speech", version="2")),
    Purpose("APPSAQ_004_BR", "PUT", f"{OWN_SERVICES}/speech-1", 400, {"serName": "speech"}),
    Purpose("APPSAQ_004_NF", "PUT", f"{OWN_SERVICES}/none", 404, service(serInstanceId="other")),
    Purpose("APPSAQ_004_PF", "PUT", f"{OWN_SERVICES}/speech-1", 412, service("speech"), '"INVALID_ETAG"'),
    Purpose("APPSAQ_005_NF", "DELETE", f"{OWN_SERVICES}/none", 404),
    Purpose("TRANS_001_OK", "GET", f"{MGMT}/transports", 200),
    Purpose("SRVSUB_001_OK", "GET", f"{MGMT}/applications/{APP}/{SUBS}", 200),
    Purpose("SRVSUB_002_OK", "POST", f"{MGMT}/applications/{APP}/{SUBS}", 201, NEWS),
    Purpose("SRVSUB_002_BR", "POST", f"{MGMT}/applications/{APP}/{SUBS}", 400, NEWS | {"subscriptionType": "X"}),
    Purpose("SRVSUB_003_NF", "GET", f"{MGMT}/applications/{APP}/{SUBS}/none", 404),
    Purpose("SRVSUB_004_NF", "DELETE", f"{MGMT}/applications/{APP}/{SUBS}/none", 404),
    Purpose("APPSUB_001_OK", "GET", f"{SUPP}/applications/{APP}/{SUBS}", 200),
    Purpose("APPSUB_002_OK", "POST", f"{SUPP}/applications/{APP}/{SUBS}", 201, END),
    Purpose("APPSUB_002_BR", "POST", f"{SUPP}/applications/{APP}/{SUBS}", 400, END | {"subscriptionType": "X"}),
    Purpose("APPSUB_003_OK", "GET", f"{SUPP}/applications/{APP}/{SUBS}/sub-2", 200),
    Purpose("APPSUB_003_NF", "GET", f"{SUPP}/applications/{APP}/{SUBS}/none", 404),
    Purpose("TRAF_001_OK", "GET", f"{OWN_RULES}/traffic_rules", 200),
    Purpose("TRAF_002_OK", "GET", f"{OWN_RULES}/traffic_rules/open", 200),
    Purpose("TRAF_002_NF", "GET", f"{OWN_RULES}/traffic_rules/none", 404),
    Purpose("TRAF_003_BR", "PUT", f"{OWN_RULES}/traffic_rules/open", 400, DROP | {"action": "UNKNOWN_VALUE"}),
    Purpose("TRAF_003_NF", "PUT", f"{OWN_RULES}/traffic_rules/none", 404, DROP),
    Purpose("TRAF_003_PF", "PUT", f"{OWN_RULES}/traffic_rules/open", 412, DROP, '"INVALID_ETAG"'),
    Purpose("DNS_001_OK", "GET", f"{OWN_RULES}/dns_rules", 200),
    Purpose("DNS_002_OK", "GET", f"{OWN_RULES}/dns_rules/name", 200),
    Purpose("DNS_002_NF", "GET", f"{OWN_RULES}/dns_rules/none", 404),
    Purpose("DNS_003_BR", "PUT", f"{OWN_RULES}/dns_rules/name", 400, {"dnsRuleId": "name", "state": "ACTIVE"}),
    Purpose("TIME_001_OK", "GET", f"{SUPP}/timing/timing_caps", 200),
    Purpose("TIME_002_OK", "GET", f"{SUPP}/timing/current_time", 200),
    Purpose("CONFTASK_002_OK", "POST", f"{OWN_RULES}/confirm_ready", 204, READY),
    Purpose("REGAPPS_001_BR", "POST", f"{SUPP}/registrations", 400, {"appName": "mine"}),
    Purpose("REGAPPS_001_OK", "POST", f"{SUPP}/registrations", 201, INFO),
    Purpose("REGAPPS_002_OK", "GET", f"{SUPP}/registrations/{APP}", 200),
    Purpose("REGAPPS_003_OK", "PUT", f"{SUPP}/registrations/{APP}", 204, INFO),
    Purpose("REGAPPS_004_OK", "DELETE", f"{SUPP}/registrations/{APP}", 204),
    Purpose("UETAG_001_OK", "GET", f"{UI}/{APP}/ue_identity_tag_info?ueIdentityTag=tag-alice", 200),
    Purpose("UETAG_001_BR", "GET", f"{UI}/{APP}/ue_identity_tag_info?ueIdentityTagERROR=tag-alice", 400),
    Purpose("UETAG_002_BR", "PUT", f"{UI}/{APP}/ue_identity_tag_info", 400, {"ueIdentityTags": [{"state": 7}]}),
    Purpose("UETAG_002_PF", "PUT", f"{UI}/{APP}/ue_identity_tag_info", 412, TAG, '"INVALID_ETAG"'),
    Purpose("UETAG_002_OK", "PUT", f"{UI}/{APP}/ue_identity_tag_info", 200, TAG),
    *unknown_instance(),
)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    with seeded(tmp_path_factory.mktemp("seed")) as client:
        yield client


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda p: f"{p.name}-{p.method}-{p.path}")
def test_a_suite_of_the_standard_finds_what_it_expects(foreign: Foreign, purpose: Purpose) -> None:
    fields = {"If-Match": purpose.match} if purpose.match else {}
    heard = foreign.ask(purpose.method, purpose.path, purpose.body, fields=fields)
    assert heard.status == purpose.status, heard.body
    _as_the_standard_has_it(foreign, heard)


def _as_the_standard_has_it(foreign: Foreign, heard: Heard) -> None:
    """Content types, and the body of problems, in the plain dictionary that suites look into."""
    if heard.status in BODILESS:
        assert heard.body is None
    elif heard.status < 300:
        assert heard.fields["Content-Type"] == "application/json"
    else:
        assert heard.fields["Content-Type"] == "application/problem+json"
        assert heard.body["status"] == heard.status
        assert heard.body["title"]
        assert heard.body["detail"]
    if heard.status == 201:
        location = heard.fields["Location"]
        assert location.startswith(foreign.url), "absolute, and below the prefix"
        assert foreign.ask("GET", location).status == 200


@pytest.mark.parametrize("token", ["", "Bearer none", BOB])
def test_who_shows_no_token_and_who_shows_anothers_are_told_apart(foreign: Foreign, token: str) -> None:
    heard = foreign.ask("GET", OWN_SERVICES, token=token)
    assert heard.status == (403 if token == BOB else 401)
    assert ("Bearer" in heard.fields.get("WWW-Authenticate", "")) == (token != BOB)
    assert foreign.ask("GET", f"{MGMT}/applications/{NONE}/services", token=token).status == (
        404 if token == BOB else 401
    )


def test_what_was_read_is_put_back_by_its_tag(foreign: Foreign) -> None:
    path = f"{OWN_RULES}/dns_rules/name"
    read = foreign.ask("GET", path)
    changed = foreign.ask("PUT", path, read.body | {"state": "INACTIVE"}, fields={"If-Match": read.fields["ETag"]})
    assert (changed.status, changed.body["state"]) == (200, "INACTIVE")
    again = foreign.ask("PUT", path, read.body, fields={"If-Match": read.fields["ETag"]})
    assert (again.status, again.body["title"]) == (412, again.body["title"])
    assert foreign.ask("GET", path, fields={"If-None-Match": changed.fields["ETag"]}).status == 304
