"""TLS: version 1.3 between elements and between operators, names checked, only the given authorities trusted."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path

from hanse.kit.certificates.files import explained
from hanse.kit.certificates.identity import Identity
from hanse.kit.problems import Problem

OLDER = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Suites of TLS 1.2: forward secrecy and authenticated encryption, as those of 1.3 have them (RFC 9325, 4.2)."""


def server_context(
    identity: Identity, *, clients: Sequence[Path] = (), require_client: bool | None, standard: bool = False
) -> ssl.SSLContext:
    """TLS of a server. ``clients`` are PEM files of the authorities whose client certificates count.

    ``require_client``: ``None`` asks for no client certificate, ``False`` takes one if it is shown (a foreign one ends
    the handshake), ``True`` insists. ``standard`` servers, those of APIs that ETSI defines for applications and
    customers, also take TLS 1.2, which is mandatory there (ETSI GS MEC 011 V3.1.1, 7.2.2). 500 if a file is not usable.
    A client learns of a refusal at its first read: in TLS 1.3 its own handshake is over by then (RFC 8446, 4.4.2.4).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2 if standard else ssl.TLSVersion.TLSv1_3
    context.set_ciphers(OLDER)
    context.options |= ssl.OP_NO_RENEGOTIATION
    renew(context, identity)
    if require_client is not None:
        _trust(context, clients)
        context.verify_mode = ssl.CERT_REQUIRED if require_client else ssl.CERT_OPTIONAL
    return context


def client_context(trust: Sequence[Path], identity: Identity | None = None) -> ssl.SSLContext:
    """TLS of a client: the server must be certified, for the host name dialled, by one of ``trust`` (PEM files).

    ``identity`` is shown to servers that ask. 500 if a file is not usable.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    _trust(context, trust)
    if identity is not None:
        renew(context, identity)
    return context


def renew(context: ssl.SSLContext, identity: Identity) -> None:
    """Show what is in the identity's files now from the next handshake on; connections that stand are not touched."""
    title = f"Certificate {identity.certificate_path}"
    try:
        context.load_cert_chain(identity.certificate_path, identity.key_path)
    except ssl.SSLError as error:
        raise Problem(500, title, f"must be PEM and fit the key {identity.key_path}: {error.reason}") from error
    except OSError as error:
        raise Problem(500, title, f"it or its key {identity.key_path} cannot be read: {error.strerror}") from error


def _trust(context: ssl.SSLContext, authorities: Sequence[Path]) -> None:
    if not authorities:  # OpenSSL would refuse every peer, and nobody would know why
        raise Problem(500, "Trusted authorities", "name at least one PEM file of an authority whose peers are accepted")
    for path in authorities:
        with explained(path):
            pem = path.read_bytes().decode("ascii", "ignore")
        try:
            context.load_verify_locations(cadata=pem)
        except ssl.SSLError as error:
            raise Problem(500, f"Certificate {path}", "must be PEM with at least one certificate") from error
