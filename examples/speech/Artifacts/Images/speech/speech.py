"""Speech recognition, a MEC application that offers a service to others: it hears touch tones in recordings."""

from __future__ import annotations

import json
import os
from typing import Any

import recording
import touch_tones
from mec_app import Answer, MecApp, Platform, Request, Settings

SERVICE = "speech-recognition"


def transcribe(request: Request) -> Answer:
    """POST /v1/transcriptions: a WAV file in, ``{"text", "confidence"}`` out; 400 for a file that we cannot read."""
    sound = recording.read(request.body)
    heard = touch_tones.decode(sound.samples, sound.rate)
    return Answer(200, json.dumps({"text": heard.text, "confidence": heard.confidence}).encode())


def echo(request: Request) -> Answer:
    """POST /v1/echo: the body comes back, for whoever wants to measure the way and not the work."""
    return Answer(200, request.body, request.media_type)


def health(_request: Request) -> Answer:
    """GET /healthz."""
    return Answer(200, b'{"status": "ok"}')


def service_info(own_url: str) -> dict[str, Any]:
    """What other applications are told about the service (ServiceInfo, ETSI GS MEC 011 V3.1.1, 8.1.2.2)."""
    return {
        "serName": SERVICE,
        "version": "1.0",
        "state": "ACTIVE",
        "serializer": "JSON",
        "transportInfo": {
            "id": "rest",
            "name": "REST over HTTP",
            "type": "REST_HTTP",
            "protocol": "HTTP",
            "version": "1.1",
            "endpoint": {"uris": [f"{own_url}/v1"]},
            "security": {},
        },
        "scopeOfLocality": "MEC_SYSTEM",
        "consumedLocalOnly": False,  # platforms of other systems may pass it on
    }


def main() -> None:
    """Run as the MEC system starts us."""
    settings = Settings.from_environment(os.environ)
    routes = {
        ("POST", "/v1/transcriptions"): transcribe,
        ("POST", "/v1/echo"): echo,
        ("GET", "/healthz"): health,
    }
    MecApp(Platform(settings), routes, [service_info(settings.own_url)]).run()


if __name__ == "__main__":
    main()
