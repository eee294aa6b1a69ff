"""How an app says that it is reached and protected, so that somebody can use it (MEC 011 V3.1.1, 8.1.2.3, 8.1.5)."""

from __future__ import annotations

import msgspec
import pytest

from hanse.elements.mep.service_management.endpoints import check_endpoint, check_transport
from hanse.kit.problems import Problem
from hanse.refpoints.mp1.services import Address, EndPointInfo, OAuth2Info, SecurityInfo, TransportInfo

CREDENTIALS, IMPLICIT = "OAUTH2_CLIENT_CREDENTIALS", "OAUTH2_IMPLICIT_GRANT"
TRANSPORT = TransportInfo(
    id="t",
    name="REST",
    type="REST_HTTP",
    protocol="HTTP",
    version="1.1",
    endpoint=EndPointInfo(uris=("http://127.9.0.5/",)),
    security=SecurityInfo(),
)


def protected(*grants: str, token_endpoint: str = "") -> TransportInfo:
    oauth = OAuth2Info(grant_types=grants)
    if token_endpoint:
        oauth = msgspec.structs.replace(oauth, token_endpoint=token_endpoint)
    return msgspec.structs.replace(TRANSPORT, security=SecurityInfo(o_auth2_info=oauth))


@pytest.mark.parametrize(
    "endpoint",
    [
        EndPointInfo(),
        EndPointInfo(uris=()),
        EndPointInfo(uris=("http://a",), addresses=(Address(host="a", port=1),)),
    ],
)
def test_a_service_is_reached_in_exactly_one_way(endpoint: EndPointInfo) -> None:
    with pytest.raises(Problem, match="exactly one of uris, fqdn, addresses, alternative"):
        check_endpoint(endpoint, "endpoint")


@pytest.mark.parametrize(
    ("endpoint", "named"),
    [
        (EndPointInfo(uris=("http://a/", "")), "endpoint.uris"),
        (EndPointInfo(uris=("speech/v1",)), "endpoint.uris"),
        (EndPointInfo(uris=("http://[::1",)), "endpoint.uris"),
        (EndPointInfo(fqdn=("",)), "endpoint.fqdn"),
        (EndPointInfo(addresses=(Address(host="", port=80),)), "endpoint.addresses"),
        (EndPointInfo(addresses=(Address(host="127.9.0.5", port=-5),)), "endpoint.addresses"),
        (EndPointInfo(addresses=(Address(host="127.9.0.5", port=65536),)), "endpoint.addresses"),
    ],
)
def test_where_nobody_can_be_reached_is_refused_by_its_attribute(endpoint: EndPointInfo, named: str) -> None:
    with pytest.raises(Problem, match=f"Invalid attribute {named}") as refused:
        check_endpoint(endpoint, "endpoint")
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "endpoint",
    [
        EndPointInfo(uris=("http://127.9.0.5/", "mqtt://broker:1883", "urn:example:speech")),
        EndPointInfo(fqdn=("app.example.com",)),
        EndPointInfo(addresses=(Address(host="127.9.0.5", port=65535),)),
        EndPointInfo(alternative={"topic": "x"}),
    ],
)
def test_every_way_of_the_standard_is_taken(endpoint: EndPointInfo) -> None:
    check_endpoint(endpoint, "endpoint")


@pytest.mark.parametrize(
    ("transport", "named"),
    [
        (protected(), "Invalid attribute transportInfo.security.oAuth2Info.grantTypes"),
        (protected("PASSWORD", token_endpoint="https://a/"), "Invalid attribute .*grantTypes"),
        (protected(CREDENTIALS), "Missing attribute .*tokenEndpoint"),
        (protected(CREDENTIALS, IMPLICIT), "Missing attribute .*tokenEndpoint"),
        (msgspec.structs.replace(TRANSPORT, protocol="http"), "Invalid attribute transportInfo.protocol"),
    ],
)
def test_a_transport_that_consumers_could_not_use_is_refused(transport: TransportInfo, named: str) -> None:
    with pytest.raises(Problem, match=named) as refused:
        check_transport(transport, "transportInfo")
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "transport",
    [
        TRANSPORT,
        protected(CREDENTIALS, token_endpoint="https://a/token"),
        protected(IMPLICIT),
        msgspec.structs.replace(TRANSPORT, type="MB_TOPIC_BASED", protocol="MQTT"),
    ],
)
def test_a_transport_as_the_standard_has_it_is_taken(transport: TransportInfo) -> None:
    check_transport(transport, "transportInfo")
