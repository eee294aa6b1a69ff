"""Servers: where the elements of this process listen, and who is let in where."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from hanse.assembly.authentication import ElementAuthenticator, TokenCaller
from hanse.assembly.border_listener import border_listener
from hanse.assembly.builders import Built
from hanse.assembly.catalogue import Element
from hanse.assembly.clients import Clients
from hanse.assembly.revoked import RevokedKeys
from hanse.assembly.token_endpoint import TOKEN_PATH, TokenEndpoint
from hanse.kit.certificates import server_context
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.listen import Listener
from hanse.kit.contract.serve import ApiServer
from hanse.kit.ports import listen_on
from hanse.kit.tokens import TokenIssuer

INNER = ("mepm", "vim", "data_plane", "names")
"""Roles that nobody outside of the operator calls: not served when all elements are in one process."""
if TYPE_CHECKING:
    from hanse.elements.mep.access import Access


def listeners(built: Built) -> list[Listener]:
    """A listener for each element of this process that others reach; every socket is bound before any is served."""
    chosen = built.wiring.chosen
    outer = [e for e in chosen if e.role not in INNER or len(chosen) < len(built.wiring.elements)]
    if not built.wiring.settings.partners:  # nobody may call at the border: there is no authority to trust
        outer = [e for e in outer if e.role != "border"]
    sockets = {element.name: listen_on(element.address, element.port) for element in outer}
    try:
        return [_listener(built, element, sockets[element.name]) for element in outer]
    except BaseException:
        for sock in sockets.values():
            sock.close()
        raise


def _listener(built: Built, element: Element, sock: socket.socket) -> Listener:
    wiring = built.wiring
    if element.role == "border":
        return border_listener(built, element, sock)
    by_token, tokens = _tokens(built, element)
    revoked = RevokedKeys(wiring.identities.revoked_path)
    limits = wiring.settings.limits
    authenticator = ElementAuthenticator(wiring.operator, by_token, revoked.cover)
    server = ApiServer(authenticator, page_size=limits.page_size, limit=limits.rate())
    if tokens is not None:
        server.mount_raw(TOKEN_PATH, tokens)
        wiring.stops.append(tokens.close)
    wiring.serve(element, server)
    trust = [wiring.identities.authority_path]
    context = wiring.renewal.context(
        lambda: wiring.identities.of_element(element),
        lambda identity: server_context(
            identity, clients=trust, require_client=False, standard=tokens is not None
        ),  # elements themselves never speak less than TLS 1.3
    )
    return Listener(server, sock, context)


def _tokens(built: Built, element: Element) -> tuple[TokenCaller | None, TokenEndpoint | None]:
    """How an element knows the callers that show tokens, and its token endpoint, where it has one."""
    wiring, part = built.wiring, built.part(element.name)
    if element.role == "mep":
        return access_of(part).caller, app_tokens(part, wiring.gate(element))
    if element.role not in ("oss", "meo"):
        return None, None
    issuer = TokenIssuer(wiring.directory / f"{element.name}.tokens.pem", issuer=element.url)
    clients = Clients(wiring.settings, element, issuer)
    point = {"oss": "Mx1", "meo": "Mm1"}[element.role]
    endpoint = TokenEndpoint(lambda form, header, _scope: clients.token(form, header), wiring.gate(element), point)
    return clients.caller, endpoint


def access_of(part: object) -> Access:
    """The access that a platform gives to its apps."""
    from hanse.elements.mep import Platform

    assert isinstance(part, Platform)
    return part.access


def app_tokens(part: object, gate: Gate) -> TokenEndpoint:
    """The token endpoint of a platform, recorded as its other calls are."""
    access = access_of(part)
    return TokenEndpoint(lambda form, authorization, _scope: access.token(form, authorization), gate, "Mp1")
