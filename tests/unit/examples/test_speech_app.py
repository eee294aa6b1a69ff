"""The speech application, as its users and its platform see it."""

from __future__ import annotations

import json
import signal
import socket

import pytest

from examples.device import tones
from tests.unit.examples.running import Deployment, call
from tests.unit.examples.small_platform import SmallPlatform


def test_consumers_find_the_service_once_the_application_is_ready(deploy: Deployment, platform: SmallPlatform) -> None:
    app = deploy("speech")
    assert platform.did(app.instance_id) == ["token", "subscribe", "ready", "register"]
    service = platform.services[f"service-of-{app.instance_id}"]
    assert service["serName"] == "speech-recognition"
    assert service["state"] == "ACTIVE"
    assert service["transportInfo"]["endpoint"] == {"uris": [f"{app.url}/v1"]}
    assert service["consumedLocalOnly"] is False


def test_a_recording_comes_back_as_text(deploy: Deployment) -> None:
    seen = deploy("speech").post("/v1/transcriptions", tones.wav("2468"))
    assert (seen.status, seen.media_type) == (200, "application/json")
    assert seen.json["text"] == "2468"
    assert 0.9 < seen.json["confidence"] <= 1


def test_a_bad_recording_is_refused_with_its_reason(deploy: Deployment) -> None:
    seen = deploy("speech").post("/v1/transcriptions", b"OggS" + bytes(100))
    assert (seen.status, seen.media_type) == (400, "application/problem+json")
    assert seen.json["title"] == "WAV: no RIFF/WAVE header"


def test_echo_returns_the_very_bytes(deploy: Deployment) -> None:
    app, body = deploy("speech"), bytes(range(256)) * 64
    seen = app.post("/v1/echo", body, "application/octet-stream")
    assert (seen.status, seen.media_type, seen.body) == (200, "application/octet-stream", body)
    assert app.get("/healthz").json == {"status": "ok"}


def test_a_platform_that_is_not_ready_yet_is_asked_again(deploy: Deployment, platform: SmallPlatform) -> None:
    platform.not_ready = 3
    app = deploy("speech")
    assert platform.not_ready == 0
    assert platform.did(app.instance_id)[-2:] == ["ready", "register"]


@pytest.mark.parametrize("action", ["TERMINATING", "STOPPING"])
def test_graceful_end_withdraws_the_service_before_it_is_confirmed(
    deploy: Deployment, platform: SmallPlatform, action: str
) -> None:
    app = deploy("speech")
    assert platform.terminate(app.instance_id, action) == 204
    assert app.exit_code() == 0
    assert platform.did(app.instance_id)[-2:] == ["deregister", f"confirm_termination {action}"]
    assert platform.services == {}


def test_a_revoked_token_is_replaced_and_the_call_made_again(deploy: Deployment, platform: SmallPlatform) -> None:
    app = deploy("speech")
    platform.revoke_tokens()
    platform.terminate(app.instance_id)
    assert app.exit_code() == 0
    assert platform.did(app.instance_id)[-3:] == ["token", "deregister", "confirm_termination TERMINATING"]


def test_a_token_that_expires_is_renewed_before_it_is_refused(deploy: Deployment, platform: SmallPlatform) -> None:
    platform.expires_in = 0
    app = deploy("speech")
    did = platform.did(app.instance_id)
    assert did == ["token", "subscribe", "token", "ready", "token", "register"]


def test_sigterm_ends_it_cleanly_and_withdraws_the_service(deploy: Deployment, platform: SmallPlatform) -> None:
    app = deploy("speech")
    app.process.send_signal(signal.SIGTERM)
    assert app.exit_code() == 0
    assert platform.services == {}


def test_sigterm_ends_it_even_while_it_waits_for_the_platform(deploy: Deployment, platform: SmallPlatform) -> None:
    platform.not_ready = 1000
    app = deploy("speech", wait=False)
    while "subscribe" not in platform.did(app.instance_id):
        assert app.process.poll() is None, app.output()
    app.process.send_signal(signal.SIGTERM)
    assert app.exit_code() == 0


def test_an_end_without_a_platform_is_still_an_end(deploy: Deployment, platform: SmallPlatform) -> None:
    app = deploy("speech")
    callback = platform.callbacks[app.instance_id]
    platform.revoke_tokens()
    platform._secrets.clear()
    notification = {"notificationType": "AppTerminationNotification", "operationAction": "TERMINATING"}
    assert call("POST", callback, json.dumps(notification).encode()).status == 204
    assert app.exit_code() == 0
    assert "termination is not confirmed: 401 No access token" in app.output()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"[" * 5000,
        b'{"notificationType": "Other", "operationAction": "STOPPING"}',
        b'{"notificationType": "AppTerminationNotification", "operationAction": "PAUSING"}',
        b'{"notificationType": "AppTerminationNotification", "operationAction": []}',
    ],
)
def test_nothing_but_a_termination_notification_ends_it(
    deploy: Deployment, platform: SmallPlatform, body: bytes
) -> None:
    app = deploy("speech")
    assert call("POST", platform.callbacks[app.instance_id], body).status == 400
    assert call("POST", f"{app.url}/callbacks/{'0' * 32}/termination", body).status == 404
    assert app.get("/healthz").status == 200


def test_a_missing_setting_is_named(deploy: Deployment) -> None:
    app = deploy("speech", wait=False, MEC_TOKEN_URL="", MEC_CLIENT_SECRET="")
    assert app.exit_code() == 1
    assert "not set: MEC_TOKEN_URL, MEC_CLIENT_SECRET" in app.output()


def test_wrong_credentials_end_the_start_with_their_reason(deploy: Deployment) -> None:
    app = deploy("speech", wait=False, MEC_CLIENT_SECRET="wrong")
    assert app.exit_code() == 1
    assert "cannot start: 401 No access token" in app.output()


def test_a_taken_port_is_named(deploy: Deployment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        app = deploy("speech", wait=False, MEC_APP_PORT=str(port))
        assert app.exit_code() == 1
    assert f"cannot listen on 127.0.0.1:{port}" in app.output()
