"""Transports: how a service is spoken to, and the one that the platform itself offers (MEC 011 V3.1.1, 5.2.9, 8.1.2.3).

That one is REST over HTTP through the platform: who registers a service with its id gives no address. Consumers call
the platform, which knows them by their tokens, and it carries the calls to the instance.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from hanse.elements.mep.records import Records, ServiceRecord
from hanse.elements.mep.service_management.links import through_platform
from hanse.elements.mep.service_management.locality import leaves_host
from hanse.kit.problems import Problem, bad_request
from hanse.kit.receivers import Receivers
from hanse.kit.values import Absent
from hanse.refpoints.mp1.services import EndPointInfo, OAuth2Info, SecurityInfo, ServiceInfo, TransportInfo

PLATFORM_TRANSPORT = "rest-http"


def platform_transport(url: str) -> TransportInfo:
    """The transport that a platform at ``url`` offers."""
    oauth = OAuth2Info(grant_types=("OAUTH2_CLIENT_CREDENTIALS",), token_endpoint=f"{url}/oauth2/token")
    return TransportInfo(
        id=PLATFORM_TRANSPORT,
        name="REST over HTTP",
        description="calls are carried by the platform",
        type="REST_HTTP",
        protocol="HTTP",
        version="1.1",
        endpoint=EndPointInfo(uris=(url,)),
        security=SecurityInfo(o_auth2_info=oauth),
    )


def resolved(url: str, service: ServiceInfo, service_id: str) -> TransportInfo:
    """The transport of a service that its platform at ``url`` tells consumers, also where it was named by an id."""
    if isinstance(service.transport_info, TransportInfo):
        return service.transport_info
    if service.transport_id != PLATFORM_TRANSPORT:
        raise bad_request("Invalid attribute transportId", f"legal: {PLATFORM_TRANSPORT}, as /transports lists it")
    endpoint = EndPointInfo(uris=(through_platform(url, service_id),))
    return msgspec.structs.replace(platform_transport(url), endpoint=endpoint)


def through(url: str, transport: TransportInfo | Absent, service_id: str) -> TransportInfo | Absent:
    """The transport of a service elsewhere as consumers of the platform at ``url`` use it: HTTP goes through it.

    What is spoken to otherwise the platform cannot carry: its consumers are told what its producer says.
    """
    if not isinstance(transport, TransportInfo) or not isinstance(transport.endpoint.uris, tuple):
        return transport
    endpoint = EndPointInfo(uris=(through_platform(url, service_id),))
    return msgspec.structs.replace(transport, endpoint=endpoint, security=platform_transport(url).security)


def calls_platform(url: str, service: ServiceInfo) -> bool:
    """Whether consumers of a service of this host are told to call the platform at ``url``, and nobody else."""
    transport = service.transport_info
    told = (through_platform(url, str(service.ser_instance_id)),)
    return isinstance(transport, TransportInfo) and transport.endpoint.uris == told


def same_endpoint(one: ServiceInfo, other: ServiceInfo) -> bool:
    """Whether consumers of two services are told to call the same."""
    first, second = one.transport_info, other.transport_info
    return isinstance(first, TransportInfo) and isinstance(second, TransportInfo) and first.endpoint == second.endpoint


def producer_base(records: Records, record: ServiceRecord) -> str:
    """The URI at which the platform reaches the app behind a service; a problem 502 for one not spoken to over HTTP."""
    service = record.service
    if record.carried:
        app = records.apps.get(record.app_instance_id).configuration
        return f"http://{app.address}:{app.port}/"
    transport = service.transport_info
    if not isinstance(transport, TransportInfo) or not isinstance(transport.endpoint.uris, tuple):
        raise Problem(502, "Service has no URI", f"{service.ser_name} is not reached over HTTP")
    return transport.endpoint.uris[0]


def check_reachable(record: ServiceRecord, own: str, reach: Receivers) -> None:
    """Take the addresses at which an app at ``own`` offers a service, if the platform may be led there.

    Only of a service that other hosts may consume: to those the platform carries calls, on this host consumers call by
    themselves. Problems 400 and 403 name the attribute. What is not HTTP is never carried.
    """
    transport = record.service.transport_info
    if not leaves_host(record.service) or record.carried or not isinstance(transport, TransportInfo):
        return
    endpoint = transport.endpoint
    for uri in endpoint.uris or ():
        if _is_http(uri):
            reach.check(uri, own, "transportInfo.endpoint.uris")
    for place in endpoint.addresses or ():
        reach.check_place(place.host, place.port, own, "transportInfo.endpoint.addresses")


def _is_http(uri: str) -> bool:
    try:
        return urlsplit(uri).scheme in ("http", "https")
    except ValueError:
        return True  # whoever carries calls may read it otherwise
