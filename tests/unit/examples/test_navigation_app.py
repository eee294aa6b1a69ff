"""The navigation application: use case 5 of ETSI GR MEC 035, with the real speech application beside it."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from examples.device import tones
from tests.unit.examples.running import App, Deployment
from tests.unit.examples.small_platform import SmallPlatform


def offer(platform: SmallPlatform, uri: str, name: str = "x", **changes: Any) -> None:
    """Put a service of somebody else on the platform."""
    service = {"serName": "speech-recognition", "state": "ACTIVE", "transportInfo": {"endpoint": {"uris": [uri]}}}
    platform.services[name] = service | changes


def ask(app: App, digits: str = "27") -> Any:
    """Speak to the application."""
    seen = app.post("/directions", tones.wav(digits))
    return seen.status, seen.json


def test_two_spoken_places_become_the_way_between_them(deploy: Deployment) -> None:
    deploy("speech")
    status, way = ask(deploy("navigation"), "27")
    assert status == 200
    assert (way["heard"], way["from"], way["to"], way["metres"]) == ("27", "Old Harbour", "Stadium", 1515)
    assert way["steps"] == [{"street": "Quay Street", "metres": 1515, "turn": "start"}]


def test_places_between_are_visited(deploy: Deployment) -> None:
    deploy("speech")
    _, way = ask(deploy("navigation"), "034")
    assert (way["from"], way["to"]) == ("Central Station", "Town Hall")
    assert way["metres"] == sum(step["metres"] for step in way["steps"])
    assert "Mole Street" in [step["street"] for step in way["steps"]]


def test_many_travellers_are_served_at_once(deploy: Deployment) -> None:
    deploy("speech")
    app = deploy("navigation")
    spoken = [f"{one}{other}" for one in range(4) for other in range(4, 9)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda digits: ask(app, digits), spoken))
    assert [way["heard"] for _, way in answers] == spoken


def test_without_a_service_it_says_that_none_is_offered(deploy: Deployment) -> None:
    status, problem = ask(deploy("navigation"))
    assert (status, problem["title"]) == (503, "speech-recognition is not offered")


def test_a_service_that_is_not_active_is_not_used(deploy: Deployment, platform: SmallPlatform) -> None:
    speech = deploy("speech")
    platform.services[f"service-of-{speech.instance_id}"]["state"] = "INACTIVE"
    assert ask(deploy("navigation"))[0] == 503


def test_a_service_that_appears_later_is_found_without_a_restart(deploy: Deployment) -> None:
    app = deploy("navigation")
    assert ask(app)[0] == 503
    deploy("speech")
    assert ask(app)[0] == 200


def test_a_service_of_another_platform_is_reached_through_ours_with_our_token(
    deploy: Deployment, platform: SmallPlatform
) -> None:
    speech = deploy("speech")
    platform.services.clear()
    platform.remotes["south"] = speech.url
    offer(platform, f"{platform.url}/remote/south/v1", isLocal=False)
    app = deploy("navigation")
    assert ask(app, "05")[1]["to"] == "University"
    assert "remote south" in platform.did(app.instance_id)
    platform.revoke_tokens()
    assert ask(app, "05")[0] == 200


def test_our_own_host_is_preferred_to_another(deploy: Deployment, platform: SmallPlatform) -> None:
    offer(platform, f"{platform.url}/remote/south/v1", isLocal=False)
    deploy("speech")
    app = deploy("navigation")
    assert ask(app)[0] == 200
    assert "remote south" not in platform.did(app.instance_id)


def test_the_platform_is_told_for_which_traveller_a_service_is_looked_for(
    deploy: Deployment, platform: SmallPlatform
) -> None:
    deploy("speech")
    target = urlsplit(deploy("navigation").url)
    seen = []
    for address in ("127.0.0.1", "127.0.0.2"):
        traveller = HTTPConnection(str(target.hostname), target.port, timeout=20, source_address=(address, 0))
        traveller.connect()
        seen.append("{}:{}".format(*traveller.sock.getsockname()))
        traveller.request("POST", "/directions", tones.wav("27"), {"Content-Type": "audio/wav"})
        assert traveller.getresponse().status == 200
        traveller.close()
    assert platform.peers == seen


def test_the_token_is_not_shown_to_services_outside_the_platform(deploy: Deployment, platform: SmallPlatform) -> None:
    app = deploy("navigation")
    with socket.create_server(("127.0.0.1", 0)) as spy, ThreadPoolExecutor(1) as pool:
        offer(platform, f"http://127.0.0.1:{spy.getsockname()[1]}/v1")
        asking = pool.submit(ask, app)
        connection, _ = spy.accept()
        with connection:
            head = connection.recv(65536)
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert asking.result()[0] == 502
    assert head.startswith(b"POST /v1/transcriptions HTTP/1.1")
    assert b"authorization" not in head.lower()


def test_the_next_service_is_asked_when_one_is_gone(deploy: Deployment, platform: SmallPlatform) -> None:
    offer(platform, "http://127.0.0.1:1/v1", name="0-gone")
    deploy("speech")
    assert ask(deploy("navigation"))[0] == 200


def test_a_service_that_fails_is_a_bad_gateway_that_says_which(deploy: Deployment, platform: SmallPlatform) -> None:
    offer(platform, "http://127.0.0.1:1/v1")
    status, problem = ask(deploy("navigation"))
    assert (status, problem["title"]) == (502, "speech-recognition failed")
    assert "http://127.0.0.1:1/v1" in problem["detail"]


def test_strange_entries_of_other_applications_do_no_harm(deploy: Deployment, platform: SmallPlatform) -> None:
    offer(platform, "ftp://127.0.0.1/v1", name="a")
    offer(platform, "http://127.0.0.1:99999/v1", name="b")
    offer(platform, "", name="c", transportInfo={"endpoint": {"fqdn": ["speech.example"]}})
    deploy("speech")
    assert ask(deploy("navigation"))[0] == 200


def test_a_bad_recording_is_the_traveller_s_fault(deploy: Deployment) -> None:
    deploy("speech")
    seen = deploy("navigation").post("/directions", b"not a recording")
    assert (seen.status, seen.json["title"]) == (400, "WAV: no RIFF/WAVE header")


def test_a_single_place_is_no_journey(deploy: Deployment) -> None:
    deploy("speech")
    status, problem = ask(deploy("navigation"), "7")
    assert (status, problem["title"]) == (422, "Heard '7', which is no journey")
    assert "7 Stadium" in problem["detail"]


def test_it_leaves_when_it_is_asked(deploy: Deployment, platform: SmallPlatform) -> None:
    app = deploy("navigation")
    assert json.loads(app.get("/healthz").body) == {"status": "ok"}
    assert platform.terminate(app.instance_id, "STOPPING") == 204
    assert app.exit_code() == 0
    assert platform.did(app.instance_id) == ["token", "subscribe", "ready", "confirm_termination STOPPING"]
