"""An app that does all that an app can do here: it has a name and a rule, offers a service, leaves when asked."""

from __future__ import annotations

import os
from typing import Any

from mec_app import Answer, MecApp, Platform, Request, Settings


def echo(request: Request) -> Answer:
    """POST /v1/echo: the body comes back."""
    return Answer(200, request.body, request.media_type)


def health(_request: Request) -> Answer:
    """GET /healthz."""
    return Answer(200, b'{"status": "ok"}')


def service_info(own_url: str) -> dict[str, Any]:
    """The service ``navigation`` (ETSI GS MEC 011 V3.1.1, 8.1.2.2)."""
    return {
        "serName": "navigation",
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
        "consumedLocalOnly": False,
    }


def main() -> None:
    """Run as the MEC system starts us."""
    settings = Settings.from_environment(os.environ)
    routes = {("POST", "/v1/echo"): echo, ("GET", "/healthz"): health}
    MecApp(Platform(settings), routes, [service_info(settings.own_url)]).run()


if __name__ == "__main__":
    main()
