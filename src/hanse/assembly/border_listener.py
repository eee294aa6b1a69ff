"""Where partners get in: the border's own server, token endpoint and rule for whom it knows."""

from __future__ import annotations

import socket

from hanse.assembly.authentication import PartnerAuthenticator
from hanse.assembly.builders import Built
from hanse.assembly.catalogue import Element
from hanse.assembly.partners import PartnerWatch
from hanse.assembly.token_endpoint import TOKEN_PATH, Issue, TokenEndpoint
from hanse.assembly.wiring import Wiring
from hanse.kit.certificates import load_certificate, peer_uri, server_context
from hanse.kit.contract.asgi import Scope
from hanse.kit.contract.listen import Listener
from hanse.kit.contract.serve import ApiServer
from hanse.kit.problems import Problem
from hanse.kit.tokens import Client, Credentials, TokenAnswer, TokenIssuer, TokenVerifier, token_endpoint

PARTNER_TOKEN_LIFETIME = 300.0
"""Seconds that a partner's token lives."""


def border_listener(built: Built, element: Element, sock: socket.socket) -> Listener:
    """Serve the border on a bound socket; who shows a partner's certificate is cut when its agreement ends."""
    wiring, watch = built.wiring, built.watch(element)
    url, limits = wiring.settings.federation_url, wiring.settings.limits
    issuer = TokenIssuer(wiring.directory / "border.tokens.pem", issuer=url)
    authenticator = _authenticator(wiring, watch, issuer)
    server = ApiServer(authenticator, border=True, page_size=limits.page_size, limit=limits.rate())
    issue = _partner_tokens(authenticator, watch, issuer, url)
    tokens = TokenEndpoint(issue, wiring.gate(element), "Mff-fed")
    server.mount_raw(TOKEN_PATH, tokens)
    wiring.stops.append(tokens.close)
    wiring.serve(element, server)
    trust = [wiring.settings.file(partner.trust) for partner in wiring.settings.partners.values()]
    context = wiring.renewal.context(
        wiring.identities.of_operator, lambda identity: server_context(identity, clients=trust, require_client=True)
    )
    listener = Listener(server, sock, context)

    async def cut(name: str) -> None:
        listener.drop(lambda certificate: _shown_by(authenticator, certificate, name))

    watch.on_end(cut)
    return listener


def _authenticator(wiring: Wiring, watch: PartnerWatch, issuer: TokenIssuer) -> PartnerAuthenticator:
    settings = wiring.settings
    authorities = {name: load_certificate(settings.file(p.trust)) for name, p in settings.partners.items()}
    verifier = TokenVerifier(issuer.public_keys, issuer=settings.federation_url, audience=settings.federation_url)
    return PartnerAuthenticator(authorities, verifier, watch.epoch)


def _partner_tokens(authenticator: PartnerAuthenticator, watch: PartnerWatch, issuer: TokenIssuer, url: str) -> Issue:
    """Tokens for whoever shows a partner's certificate (RFC 8705, 2.1), for the agreement as it stands."""

    def token(form: bytes, _authorization: str | None, scope: Scope) -> TokenAnswer:
        certificate = scope.get("client_certificate")
        name, shown = authenticator.partner(certificate)
        client = Client(
            client_id=name,
            audience=(url,),
            uri=f"hanse://{name}",
            token_lifetime=PARTNER_TOKEN_LIFETIME,
            claims={"epoch": watch.epoch(name)},
        )
        credentials, uri = Credentials([client]), peer_uri(certificate or b"")
        return token_endpoint(form, None, credentials=credentials, issuer=issuer, thumbprint=shown, uri=uri)

    return token


def _shown_by(authenticator: PartnerAuthenticator, certificate: bytes, name: str) -> bool:
    try:
        return authenticator.partner(certificate)[0] == name
    except Problem:
        return True
