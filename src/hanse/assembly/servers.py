"""Servers: where the elements of this process listen, and who is let in where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hanse.assembly.authentication import ElementAuthenticator, PartnerAuthenticator, client_caller
from hanse.assembly.builders import Built
from hanse.assembly.catalogue import Element
from hanse.assembly.settings import Settings
from hanse.assembly.token_endpoint import TokenEndpoint
from hanse.kit.certificates import load_certificate, peer_uri, server_context
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.listen import Listener, bind
from hanse.kit.contract.serve import ApiServer, Scope
from hanse.kit.problems import Problem, bad_request
from hanse.kit.tokens import Client, Credentials, TokenAnswer, TokenIssuer, TokenVerifier, hash_secret, token_endpoint

INNER = ("mepm", "vim", "data_plane", "names")
"""Roles that nobody outside of the operator calls: not served when all elements are in one process."""
TOKEN_PATH = "/oauth2/token"
PARTNER_TOKEN_LIFETIME = 300.0
"""Seconds that a partner's token lives."""

if TYPE_CHECKING:
    from hanse.elements.mep.access import Access


def listeners(built: Built) -> list[Listener]:
    """A listener for each element of this process that others reach; every socket is bound before any is served."""
    chosen = built.wiring.chosen
    outer = [e for e in chosen if e.role not in INNER or len(chosen) < len(built.wiring.elements)]
    if not built.wiring.settings.partners:  # nobody may call at the border: there is no authority to trust
        outer = [e for e in outer if e.role != "border"]
    sockets = {element.name: bind(element.address, element.port) for element in outer}
    try:
        return [_listener(built, element, sockets[element.name]) for element in outer]
    except BaseException:
        for sock in sockets.values():
            sock.close()
        raise


def _listener(built: Built, element: Element, sock: object) -> Listener:
    wiring = built.wiring
    if element.role == "border":
        return _border(built, element, sock)
    limits = wiring.settings.limits
    server = ApiServer(_authenticator(built, element), page_size=limits.page_size, limit=limits.rate())
    if element.role == "mep":
        server.mount_raw(TOKEN_PATH, app_tokens(built.part(element.name), wiring.gate(element)))
    elif element.role in ("oss", "meo"):
        server.mount_raw(TOKEN_PATH, _client_tokens(built, element))
    wiring.serve(element, server)
    trust = [wiring.identities.authority_path]
    context = wiring.renewal.context(
        lambda: wiring.identities.of_element(element),
        lambda identity: server_context(identity, clients=trust, require_client=False),
    )
    return Listener(server, sock, context)  # type: ignore[arg-type]


def _authenticator(built: Built, element: Element) -> ElementAuthenticator:
    operator, part = built.wiring.operator, built.part(element.name)
    if element.role == "mep":
        return ElementAuthenticator(operator, access_of(part).caller)
    if element.role in ("oss", "meo"):
        issuer = _issuer(built, element)
        verifier = TokenVerifier(issuer.public_keys, issuer=element.url, audience=element.url)
        return ElementAuthenticator(operator, client_caller(verifier, operator))
    return ElementAuthenticator(operator, None)


def _issuer(built: Built, element: Element) -> TokenIssuer:
    return TokenIssuer(built.wiring.directory / f"{element.name}.tokens.pem", issuer=element.url)


def access_of(part: object) -> Access:
    """The access that a platform gives to its apps."""
    from hanse.elements.mep import Platform

    assert isinstance(part, Platform)
    return part.access


def app_tokens(part: object, gate: Gate) -> TokenEndpoint:
    """The token endpoint of a platform, recorded as its other calls are."""
    access = access_of(part)
    return TokenEndpoint(lambda form, authorization, _scope: access.token(form, authorization), gate, "Mp1")


def _client_tokens(built: Built, element: Element) -> TokenEndpoint:
    credentials = Credentials(_clients(built.wiring.settings, element))
    issuer = _issuer(built, element)

    def token(form: bytes, authorization: str | None, _scope: Scope) -> TokenAnswer:
        return token_endpoint(form, authorization, credentials=credentials, issuer=issuer)

    return TokenEndpoint(token, built.wiring.gate(element), {"oss": "Mx1", "meo": "Mm1"}[element.role])


def _clients(settings: Settings, element: Element) -> Sequence[Client]:
    roles = {"oss": ("customer", "administrator"), "meo": ("oss",)}[element.role]
    return [
        Client(
            client_id=name,
            audience=(element.url,),
            secret_hash=hash_secret(_secret(settings, name, client.secret_file)),
            claims={"role": client.role, "tenant": client.tenant},
        )
        for name, client in settings.clients.items()
        if client.role in roles
    ]


def _secret(settings: Settings, client: str, file: str) -> str:
    key = f"clients.{client}.secret_file"
    secret = settings.content(key, file).decode("utf-8", "replace").strip()
    if not secret:
        raise bad_request(
            f"{settings.path}: Invalid key {key}", f"{settings.file(file)} is empty: put the secret there"
        )
    return secret


def _border(built: Built, element: Element, sock: object) -> Listener:
    wiring = built.wiring
    settings, watch = wiring.settings, built.watch(element)
    trust = {name: settings.file(partner.trust) for name, partner in settings.partners.items()}
    authorities = {name: load_certificate(path) for name, path in trust.items()}
    issuer = TokenIssuer(wiring.directory / "border.tokens.pem", issuer=settings.federation_url)
    verifier = TokenVerifier(issuer.public_keys, issuer=settings.federation_url, audience=settings.federation_url)
    authenticator = PartnerAuthenticator(authorities, verifier, watch.epoch)

    def token(form: bytes, _authorization: str | None, scope: Scope) -> TokenAnswer:
        certificate = scope.get("client_certificate")
        name, shown = authenticator.partner(certificate)
        client = Client(
            client_id=name,
            audience=(settings.federation_url,),
            uri=f"hanse://{name}",
            token_lifetime=PARTNER_TOKEN_LIFETIME,
            claims={"epoch": watch.epoch(name)},
        )
        return token_endpoint(
            form,
            None,
            credentials=Credentials([client]),
            issuer=issuer,
            thumbprint=shown,
            uri=peer_uri(certificate or b""),
        )

    limits = settings.limits
    server = ApiServer(authenticator, border=True, page_size=limits.page_size, limit=limits.rate())
    server.mount_raw(TOKEN_PATH, TokenEndpoint(token, wiring.gate(element), "Mff-fed"))
    wiring.serve(element, server)
    context = wiring.renewal.context(
        wiring.identities.of_operator,
        lambda identity: server_context(identity, clients=list(trust.values()), require_client=True),
    )
    listener = Listener(server, sock, context)  # type: ignore[arg-type]

    async def cut(name: str) -> None:
        listener.drop(lambda certificate: _shown_by(authenticator, certificate, name))

    watch.on_end(cut)
    return listener


def _shown_by(authenticator: PartnerAuthenticator, certificate: bytes, name: str) -> bool:
    try:
        return authenticator.partner(certificate)[0] == name
    except Problem:
        return True
