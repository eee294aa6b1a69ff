"""What a transport of an app must hold beyond its shape (ETSI GS MEC 011 V3.1.1, 8.1.2.3, 8.1.5.3, 8.1.5.4)."""

from __future__ import annotations

from urllib.parse import urlsplit

from hanse.kit.problems import bad_request
from hanse.kit.values import Absent
from hanse.model.descriptor.services import GrantType
from hanse.refpoints.mp1.services import EndPointInfo, OAuth2Info, TransportInfo

REST = "REST_HTTP"
_LAST_PORT = 65535


def check_transport(transport: TransportInfo, path: str) -> None:
    """A problem 400 names the attribute below ``path`` that cannot be meant."""
    if transport.type == REST and transport.protocol != "HTTP":
        raise bad_request(f"Invalid attribute {path}.protocol", f"HTTP for {REST}; got {transport.protocol!r}")
    check_endpoint(transport.endpoint, f"{path}.endpoint")
    if isinstance(transport.security.o_auth2_info, OAuth2Info):
        _check_grants(transport.security.o_auth2_info, f"{path}.security.oAuth2Info")


def check_endpoint(endpoint: EndPointInfo, path: str) -> None:
    """Exactly one way to reach a service (8.1.5.3), and no empty one."""
    given = [name for name in ("uris", "fqdn", "addresses", "alternative") if getattr(endpoint, name)]
    if len(given) != 1:
        told = " and ".join(given) or "none"
        raise bad_request(
            f"Invalid attribute {path}", f"give exactly one of uris, fqdn, addresses, alternative: {told}"
        )
    for uri in endpoint.uris or ():
        if not _is_absolute(uri):
            raise bad_request(f"Invalid attribute {path}.uris", f"absolute URIs like http://127.9.0.5/; got {uri!r}")
    if not all(endpoint.fqdn or ()):
        raise bad_request(f"Invalid attribute {path}.fqdn", "names like app.example.com; got an empty one")
    for place in endpoint.addresses or ():
        if not place.host or not 0 < place.port <= _LAST_PORT:
            told = f"{place.host!r} and {place.port}"
            raise bad_request(f"Invalid attribute {path}.addresses", f"a host, a port 1 to {_LAST_PORT}; got {told}")


def _check_grants(security: OAuth2Info, path: str) -> None:
    """1 to 4 grants, and where a token is got unless the grant gives it at once (8.1.5.4)."""
    legal = [grant.value for grant in GrantType]
    if not security.grant_types or not set(security.grant_types) <= set(legal):
        told = ", ".join(security.grant_types) or "none"
        raise bad_request(f"Invalid attribute {path}.grantTypes", f"one or more of {', '.join(legal)}; got {told}")
    if isinstance(security.token_endpoint, Absent) and set(security.grant_types) != {GrantType.IMPLICIT_GRANT}:
        raise bad_request(f"Missing attribute {path}.tokenEndpoint", "only the implicit grant does without it")


def _is_absolute(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path))
