"""What the platform of ``mp1-discovery`` answers, held against a look at all services before anything is measured."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPSConnection
from pathlib import Path

import msgspec

from benchmarks.mp1_questions import wanted
from hanse.kit.problems import Problem
from hanse.refpoints.mp1.services import ServiceInfo

PATH = "/mec_service_mgmt/v1/services"
SHARED_WITHIN = 20.0
"""Seconds in which the services of the airport must be known at the harbour."""


class Asked:
    """A platform that an application asks, with a token."""

    def __init__(self, address: str, port: int, authority: Path, token: str) -> None:
        self._place = address, port
        self._authority = authority
        self._token = token

    def all_known(self, count: int) -> list[ServiceInfo]:
        """All services, once there are so many."""
        deadline = time.monotonic() + SHARED_WITHIN
        while len(known := decoded(self.answer(""))) < count:
            if time.monotonic() > deadline:
                raise Problem(500, "Services of the airport do not come", f"{len(known)} services are known")
            time.sleep(0.2)
        return known

    def right(self, query: str, known: Sequence[ServiceInfo]) -> bytes:
        """The answer to a query, which must be what a look at all services finds."""
        body = self.answer(f"?{query}")
        found = sorted(str(service.ser_instance_id) for service in decoded(body))
        if found != sorted(wanted(query, known)):
            raise Problem(500, f"Wrong answer to {query}", f"{len(found)} services are answered")
        return body

    def answer(self, query: str) -> bytes:
        """The body of the answer."""
        context = ssl.create_default_context(cafile=str(self._authority))
        connection = HTTPSConnection(*self._place, context=context, timeout=10)
        try:
            connection.request("GET", PATH + query, headers={"authorization": f"Bearer {self._token}"})
            reply = connection.getresponse()
            body = reply.read()
        finally:
            connection.close()
        if reply.status != 200:
            raise Problem(500, f"No answer to {query}", f"the platform answered {reply.status}: {body[:200]!r}")
        return body


def decoded(body: bytes) -> list[ServiceInfo]:
    """The services of an answer."""
    return msgspec.json.decode(body, type=list[ServiceInfo])


def places(bodies: Mapping[str, bytes], known: Sequence[ServiceInfo]) -> dict[str, list[int]]:
    """For each query the places among all services of those that answer it, in the order of the answer."""
    order = {service.ser_instance_id: place for place, service in enumerate(known)}
    return {query: [order[service.ser_instance_id] for service in decoded(body)] for query, body in bodies.items()}
