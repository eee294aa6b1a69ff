"""Who somebody is by certificate: an element's own pair of files, and what a peer's certificate says."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from hanse.kit.certificates.files import explained
from hanse.kit.problems import Problem
from hanse.kit.values import Value


class Identity(Value):
    """A certificate and its private key, two PEM files. The properties read the certificate file anew."""

    certificate_path: Path
    key_path: Path

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that is in the file now."""
        return load_certificate(self.certificate_path)

    @property
    def thumbprint(self) -> str:
        """What tokens for this identity are bound to (RFC 8705, 3.1)."""
        return thumbprint(self.certificate.public_bytes(Encoding.DER))

    @property
    def expires_at(self) -> float:
        """End of the certificate, Unix seconds."""
        return self.certificate.not_valid_after_utc.timestamp()


def thumbprint(der: bytes) -> str:
    """``x5t#S256`` of a DER certificate: base64url of its SHA-256, without padding (RFC 8705, 3.1)."""
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode("ascii")


def peer_uri(der: bytes) -> str | None:
    """The URI that a DER certificate names its holder by, like ``hanse://north/mepm.harbour``.

    ``None`` if it has none, or several: then it does not say which one its holder is.
    """
    try:
        names = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.SubjectAlternativeName)
        uris = names.value.get_values_for_type(x509.UniformResourceIdentifier)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None
    return uris[0] if len(uris) == 1 else None


def peer_name(der: bytes) -> str | None:
    """The common name of a DER certificate; ``None`` if it has none, or several."""
    try:
        names = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return None
    return str(names[0].value) if len(names) == 1 else None


def issued_by(certificate: x509.Certificate | bytes, authority: x509.Certificate) -> bool:
    """Whether this authority signed a certificate (bytes are DER).

    Where several partners' authorities are trusted, each could write any name into a certificate: ask this before a
    `peer_uri` is believed.
    """
    try:
        shown = x509.load_der_x509_certificate(certificate) if isinstance(certificate, bytes) else certificate
        shown.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):  # malformed; another issuer's name, kind of key, signature
        return False
    return True


def load_certificate(path: Path) -> x509.Certificate:
    """Read the first certificate of a PEM file (500 if there is none)."""
    with explained(path):
        pem = path.read_bytes()
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise Problem(500, f"Certificate {path}", "must be an X.509 certificate in PEM") from error
