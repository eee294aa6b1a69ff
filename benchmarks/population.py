"""A platform's records before it starts: applications with credentials, and services under names."""

from __future__ import annotations

import hmac
import random
import ssl
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from http.client import HTTPSConnection
from pathlib import Path

import msgspec

from hanse.assembly.catalogue import elements
from hanse.assembly.identities import secret
from hanse.assembly.settings import Settings
from hanse.elements.mep.records import AppRecord, Records, ServiceRecord
from hanse.kit.problems import Problem
from hanse.kit.store import Store, Transaction
from hanse.kit.values import Link
from hanse.refpoints.mm5.platform import AppConfiguration, AppPhase
from hanse.refpoints.mp1.services import (
    EndPointInfo,
    SecurityInfo,
    ServiceInfo,
    ServiceLinks,
    ServiceState,
    TransportInfo,
)


def app(identifier: str) -> AppRecord:
    """An application that runs and has no rules."""
    configuration = AppConfiguration(
        app_instance_id=identifier,
        app_d_id="bench",
        app_name="bench",
        app_provider="bench",
        tenant="",
        address="127.0.0.1",
        port=9,
    )
    return AppRecord(configuration=configuration, phase=AppPhase.READY, traffic_rules=(), dns_rules=(), active=True)


def services(url: str, count: int, each: int) -> list[ServiceInfo]:
    """Services of which about ``each`` have the same name; the same on every run."""
    rng = random.Random(count)
    names = [f"service-{number}" for number in range(max(1, count // each))]
    return [service(url, f"{number:08d}-0000-4000-8000-000000000000", rng.choice(names)) for number in range(count)]


def service(url: str, identifier: str, name: str) -> ServiceInfo:
    """A service that is for its host alone."""
    transport = TransportInfo(
        id="rest",
        name="REST over HTTP",
        type="REST_HTTP",
        protocol="HTTP",
        version="1.1",
        endpoint=EndPointInfo(uris=(f"http://127.0.0.1:9/{identifier}",)),
        security=SecurityInfo(),
    )
    return ServiceInfo(
        ser_name=name,
        version="1.0",
        state=ServiceState.ACTIVE,
        serializer="JSON",
        ser_instance_id=identifier,
        transport_info=transport,
        consumed_local_only=True,
        is_local=True,
        links=ServiceLinks(self=Link(href=f"{url}/mec_service_mgmt/v1/services/{identifier}")),
    )


async def populate(settings: Settings, platform: str, apps: Sequence[str], offered: Sequence[ServiceInfo]) -> None:
    """Write them where the platform will find them when it starts."""
    store = Store(settings.directory / f"{platform}.sqlite")
    records = Records(store)

    def decide(tx: Transaction) -> None:
        for identifier in apps:
            tx.put(records.apps, identifier, app(identifier))
        for service in offered:
            key = str(service.ser_instance_id)
            tx.put(records.services, key, ServiceRecord(service=service, app_instance_id=apps[0]))

    await store.commit(decide)
    store.close()


class _Token(msgspec.Struct):
    access_token: str


def token(settings: Settings, platform: str, identifier: str, authority: Path) -> str:
    """An access token of an application, from the platform's own token endpoint."""
    element = elements(settings)[platform]
    seed = secret(settings.directory / f"{platform}.seed")
    password = hmac.new(seed, identifier.encode(), sha256).hexdigest()
    headers = {
        "authorization": "Basic " + b64encode(f"{identifier}:{password}".encode()).decode(),
        "content-type": "application/x-www-form-urlencoded",
    }
    context = ssl.create_default_context(cafile=str(authority))
    connection = HTTPSConnection(element.address, element.port, context=context, timeout=10)
    try:
        connection.request("POST", "/oauth2/token", "grant_type=client_credentials", headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise Problem(500, "No token for the benchmark", f"the platform answered {answer.status}: {body[:200]!r}")
    return msgspec.json.decode(body, type=_Token).access_token
