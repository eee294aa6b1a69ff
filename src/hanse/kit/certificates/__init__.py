"""Certificates: an operator's own authority, the identities of its elements, and TLS 1.3 between them."""

from hanse.kit.certificates.authority import Authority
from hanse.kit.certificates.identity import Identity, issued_by, load_certificate, peer_name, peer_uri, thumbprint
from hanse.kit.certificates.keys import ensure_key, load_key
from hanse.kit.certificates.tls import client_context, renew, server_context

__all__ = [
    "Authority",
    "Identity",
    "client_context",
    "ensure_key",
    "issued_by",
    "load_certificate",
    "load_key",
    "peer_name",
    "peer_uri",
    "renew",
    "server_context",
    "thumbprint",
]
