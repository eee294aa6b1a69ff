"""Listening: finds a speech-recognition service through the platform and lets it hear a recording."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mec_app import Platform, Problem

SERVICE = "speech-recognition"


def hear(platform: Platform, recording: bytes, peer: str = "") -> str:
    """What the recording says, by the first service that can be reached; the nearest to ``peer`` is asked first.

    503 if nobody offers the service, 400 if it cannot read the recording, 502 for whatever else goes wrong behind us.
    """
    failure = Problem(503, f"{SERVICE} is not offered", "no application on this platform or its partners offers it now")
    for uri in _offers(platform, peer):
        try:
            return _transcribe(platform, uri, recording)
        except Problem as problem:
            if problem.status == 400:
                raise
            failure = Problem(502, f"{SERVICE} failed", f"{uri}: {problem}")
    raise failure


def _offers(platform: Platform, peer: str) -> Iterator[str]:
    """The addresses of the active services, those on our own host first."""
    try:
        services = platform.services(SERVICE, peer)
    except Problem as problem:
        raise Problem(502, "The platform did not say who offers speech-recognition", str(problem)) from problem
    for service in sorted(services, key=lambda service: service.get("isLocal") is False):
        if service.get("state") == "ACTIVE":
            yield from _uris(service)


def _uris(service: dict[str, Any]) -> list[str]:
    """The addresses in a ServiceInfo (ETSI GS MEC 011 V3.1.1, 8.1.5.3); none if it gives another kind of endpoint."""
    try:
        return [str(uri).rstrip("/") for uri in service["transportInfo"]["endpoint"]["uris"]]
    except (KeyError, TypeError):
        return []


def _transcribe(platform: Platform, uri: str, recording: bytes) -> str:
    reply = platform.send("POST", f"{uri}/transcriptions", recording, "audio/wav")
    if reply.status != 200:
        raise Problem.read(reply.status, reply.body)
    try:
        return str(json.loads(reply.body)["text"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Problem(502, "The answer has no text", repr(error)) from error
