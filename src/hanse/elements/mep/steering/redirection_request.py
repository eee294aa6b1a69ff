"""What a request to a redirector asks for: a name, and path and query, which stay; pure (RFC 9112, 3.2 and 3.3)."""

from __future__ import annotations

import re
from typing import NamedTuple

from hanse.kit.contract.serve import check_length
from hanse.kit.problems import Problem, bad_request

_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"({_LABEL}(?:\.{_LABEL})*\.?|\[[0-9a-f:.]{{2,45}}\])(?::(\d{{0,5}}))?")
_ABSOLUTE = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
_LONGEST_NAME = 253


class Request(NamedTuple):
    """As it came: the connection's ``scheme``, the request ``target``, all Host fields, the address of the ``peer``.

    ``server_name`` is the name for which TLS was begun (RFC 6066, 3), empty if none was told.
    """

    scheme: str
    target: bytes
    hosts: tuple[bytes, ...]
    peer: str
    server_name: str = ""


class Wanted(NamedTuple):
    """A name in lower case without final dot, or an address; ``rest`` is path and query as the client wrote them."""

    name: str
    rest: bytes


def wanted(request: Request) -> Wanted:
    """What a request asks for.

    400: a target or Host that cannot be one; 414: a target too long; 421: one that is not for this connection.
    """
    check_length(len(request.target))
    name, rest = _host(request.hosts), request.target
    absolute = _ABSOLUTE.fullmatch(request.target)
    if absolute is not None:  # then it alone counts (RFC 9112, 3.2.2), and Host only must be well-formed
        _check_scheme(absolute[1].decode().lower(), request.scheme)
        name, rest = _name("request target", absolute[2]), absolute[3]
        rest = rest if rest.startswith(b"/") else b"/" + rest
    if not rest.startswith(b"/"):
        raise bad_request("Request target has no path", "only a path, like /films?page=2, can be asked for elsewhere")
    if request.server_name and request.server_name.lower().rstrip(".") != name:
        detail = f"TLS was begun with {request.server_name}: open a connection to {name}"
        raise Problem(421, f"Connection is not for {name}", detail)
    return Wanted(name, rest)


def is_name(text: str) -> bool:
    """Whether a client can ask for it by a Host field: a name in lower case without final dot."""
    return (
        len(text) <= _LONGEST_NAME and not text.endswith(".") and bool(re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})*", text))
    )


def _host(hosts: tuple[bytes, ...]) -> str:
    if len(hosts) != 1:
        raise bad_request("Invalid header Host", f"exactly one says which name is asked for; got {len(hosts)}")
    return _name("header Host", hosts[0])


def _name(where: str, authority: bytes) -> str:
    """The name of an authority; its port says only how the client came here."""
    found = _HOST.fullmatch(authority.decode("latin-1").lower())
    if found is None or len(found[1]) > _LONGEST_NAME + 1 or not 0 <= int(found[2] or 0) <= 65535:
        raise bad_request(f"Invalid {where}", "one name, and perhaps a port, like video.example.com:8080")
    return found[1].rstrip(".")


def _check_scheme(told: str, scheme: str) -> None:
    if told not in ("http", "https"):
        raise bad_request("Invalid request target", f"http or https, not {told}")
    if told != scheme:
        raise Problem(421, f"Connection is not for {told}", f"it is one for {scheme}: come by {told}")
