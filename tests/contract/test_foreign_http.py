"""HTTP as clients of all kinds write it: what is right is answered in any spelling, what is wrong refused in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.contract.foreign import Foreign, seeded
from tests.scenarios.sandbox_process import ALICE, PREFIX

SERVICES = f"{PREFIX}/mec_service_mgmt/v1/services"
OWN = f"{PREFIX}/mec_app_support/v2/applications/app-alice"
READY = '{"indication":"READY"}'
JSON, SIZE = "Content-Type: application/json", f"Content-Length: {len(READY)}"
CHUNKED = f"{len(READY):x}\r\n{READY}\r\n0\r\n\r\n"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    with seeded(tmp_path_factory.mktemp("seed")) as client:
        yield client


def told(foreign: Foreign, text: str) -> bytes:
    """All that is answered to bytes on one connection until the other end closes it."""
    line = foreign.connection()
    line.connect()
    try:
        line.sock.sendall(text.encode("latin-1"))
        parts = []
        while part := line.sock.recv(65536):
            parts.append(part)
        return b"".join(parts)
    finally:
        line.close()


def request(
    target: str, *lines: str, method: str = "GET", body: str = "", version: str = "1.1", last: bool = True
) -> str:
    """A request of Alice's app, after which the connection ends if it is the ``last``."""
    more = [*lines, *(["Connection: close"] if last else [])]
    return "\r\n".join([f"{method} {target} HTTP/{version}", "Host: here", f"Authorization: {ALICE}", *more, "", body])


ANSWERED = {
    "a slash at the end": (request(f"{SERVICES}/"), 200),
    "another spelling": (request(SERVICES.replace("services", "%73ervices")), 200),
    "an id in another spelling": (request(f"{SERVICES}/speech%2D1"), 200),
    "an empty query": (request(f"{SERVICES}?"), 200),
    "a truth in capitals": (request(f"{SERVICES}?is_local=TRUE"), 200),
    "HEAD": (request(SERVICES, method="HEAD"), 200),
    "OPTIONS": (request(SERVICES, method="OPTIONS"), 204),
    "the whole URL": (request(f"https://here{SERVICES}"), 200),
    "HTTP/1.0": (request(SERVICES, version="1.0"), 200),
    "compression wanted": (request(SERVICES, "Accept-Encoding: gzip, br"), 200),
    "a wish of low weight": (request(SERVICES, "Accept: */*;q=0.1"), 200),
    "two wishes in two fields": (request(SERVICES, "Accept: text/html", "Accept: application/json"), 200),
    "problems alone": (request(SERVICES, "Accept: application/problem+json"), 200),
    "any content type with no content": (request(SERVICES, "Content-Type: */*"), 200),
    "a body with GET": (request(SERVICES, JSON, "Content-Length: 2", body="{}"), 200),
    "an upgrade that is not offered": (request(SERVICES, "Upgrade: h2c", last=False) + request(SERVICES), 200),
    "names of fields in capitals": (
        request(f"{OWN}/confirm_ready", JSON.upper(), SIZE, method="POST", body=READY),
        204,
    ),
    "a character set": (
        request(f"{OWN}/confirm_ready", f"{JSON}; charset=utf-8", SIZE, method="POST", body=READY),
        204,
    ),
    "no content type": (request(f"{OWN}/confirm_ready", SIZE, method="POST", body=READY), 204),
    "chunks": (request(f"{OWN}/confirm_ready", JSON, "Transfer-Encoding: chunked", method="POST", body=CHUNKED), 204),
}
REFUSED = {
    "an empty segment": (request(SERVICES.replace("/v1", "//v1")), 404),
    "a dot segment": (request(f"{SERVICES}/../services"), 404),
    "an encoded dot segment": (request(f"{SERVICES}/%2e%2e/services"), 404),
    "an encoded slash": (request(f"{SERVICES}%2Fspeech-1"), 404),
    "a broken escape": (request(f"{SERVICES}/%zz"), 400),
    "a query that is too long": (request(f"{SERVICES}?ser_name={'a' * 9000}"), 414),
    "an unknown parameter": (request(f"{SERVICES}?foo=1"), 400),
    "parameters that exclude each other": (request(f"{SERVICES}?ser_name=a&ser_instance_id=b"), 400),
    "a method in small letters": (request(SERVICES, method="get"), 400),
    "a method that is no operation": (request(SERVICES, method="DELETE"), 405),
    "TRACE": (request(SERVICES, method="TRACE"), 405),
    "no JSON wanted": (request(SERVICES, "Accept: text/html"), 406),
    "two hosts": (request(SERVICES, "Host: there"), 400),
    "two tokens": (request(SERVICES, "Authorization: Basic eA=="), 400),
    "two lengths": (request(f"{OWN}/confirm_ready", JSON, SIZE, SIZE, method="POST", body=READY), 400),
    "a length and chunks": (
        request(f"{OWN}/confirm_ready", JSON, SIZE, "Transfer-Encoding: chunked", method="POST", body=CHUNKED),
        400,
    ),
    "plain text": (request(f"{OWN}/confirm_ready", "Content-Type: text/plain", SIZE, method="POST", body=READY), 415),
    "compressed JSON": (
        request(f"{OWN}/confirm_ready", JSON, "Content-Encoding: gzip", SIZE, method="POST", body=READY),
        415,
    ),
    "what is no JSON": (request(f"{OWN}/confirm_ready", JSON, "Content-Length: 1", method="POST", body="{"), 400),
    "a missing attribute": (request(f"{OWN}/confirm_ready", JSON, "Content-Length: 2", method="POST", body="{}"), 400),
    "a folded field": (request(SERVICES, "X: a", " b"), 400),
}


@pytest.mark.parametrize("spelling", ANSWERED)
def test_what_is_right_in_another_spelling_is_answered(foreign: Foreign, spelling: str) -> None:
    text, status = ANSWERED[spelling]
    answer = told(foreign, text)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:300]


@pytest.mark.parametrize("mistake", REFUSED)
def test_what_is_wrong_is_refused_in_words(foreign: Foreign, mistake: str) -> None:
    text, status = REFUSED[mistake]
    head, _, body = told(foreign, text).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), head
    assert b"content-type: application/problem+json" in head.lower()
    problem = json.loads(body)
    assert problem["status"] == status
    assert problem["detail"]


def test_questions_that_are_sent_together_are_answered_in_their_order(foreign: Foreign) -> None:
    asked = [f"{SERVICES}?ser_name=none", f"{SERVICES}/none", SERVICES]
    answers = told(foreign, "".join(request(target, last=target == SERVICES) for target in asked))
    assert re.findall(rb"HTTP/1\.1 (\d+)", answers) == [b"200", b"404", b"200"]


def test_a_client_that_waits_is_told_to_go_on_unless_it_is_refused(foreign: Foreign) -> None:
    waiting = ("Expect: 100-continue", JSON, SIZE)
    answer = told(foreign, request(f"{OWN}/confirm_ready", *waiting, method="POST", body=READY))
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer)[-1] == b"204"
    stranger = request(f"{OWN}/confirm_ready", *waiting, method="POST").replace(ALICE, "Bearer none")
    assert re.findall(rb"HTTP/1\.1 (\d+)", told(foreign, stranger)) == [b"401"]


def test_whatever_host_a_client_names_it_is_told_where_the_sandbox_is(foreign: Foreign) -> None:
    body = json.dumps(
        {"subscriptionType": "SerAvailabilityNotificationSubscription", "callbackReference": "http://127.0.0.1:9/"}
    )
    target = f"{PREFIX}/mec_service_mgmt/v1/applications/app-alice/subscriptions"
    answer = told(foreign, request(target, JSON, f"Content-Length: {len(body)}", method="POST", body=body))
    location = re.search(rb"Location: (\S+)", answer)
    assert location is not None, answer
    assert urlsplit(location[1].decode()).netloc == urlsplit(foreign.url).netloc
