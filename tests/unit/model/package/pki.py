"""Certificates for the tests of packages, made here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtensionOID, NameOID

NOW = datetime(2026, 3, 1, tzinfo=UTC)
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Holder:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def written(self, directory: Path, *others: Holder) -> dict[str, Any]:
        """As the files that `build` takes."""
        directory.mkdir(parents=True, exist_ok=True)
        certificate, key = directory / "signer.pem", directory / "signer.key"
        certificate.write_bytes(b"".join(holder.pem for holder in (self, *others)))
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        key.write_bytes(self.key.private_bytes(serialization.Encoding.PEM, form, plain))
        return {"certificate": certificate, "key": key}


def authority(name: str, issuer: Holder | None = None) -> Holder:
    """A certificate authority, its own or below another."""
    return _issue(name, ec.generate_private_key(ec.SECP256R1()), issuer, ca=True)


def signer(
    name: str, issuer: Holder, *, key: Key | None = None, days: int = 365, usage: bool = True, purpose: str = ""
) -> Holder:
    """A certificate that signs packages, valid for ``days`` from ten days before NOW."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    return _issue(name, key, issuer, ca=False, days=days, usage=usage, purpose=purpose)


def malformed(name: str, issuer: Holder) -> Holder:
    """A certificate that its authority signed although its key usage cannot be read."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.UnrecognizedExtension(ExtensionOID.KEY_USAGE, b"\x03"), critical=True)
    )
    return Holder(builder.sign(issuer.key, hashes.SHA256()), key)


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _issue(
    name: str,
    key: Key,
    issuer: Holder | None,
    *,
    ca: bool,
    days: int = 365,
    usage: bool = True,
    purpose: str = "",
) -> Holder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    parent = issuer.certificate.subject if issuer else subject
    parent_key = issuer.key if issuer else key
    begin = NOW - timedelta(days=10)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(parent)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(_key_usage(signs=usage and not ca, ca=ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(parent_key.public_key()), critical=False)
    )
    if purpose:
        builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(purpose)]), critical=False)
    return Holder(builder.sign(parent_key, hashes.SHA256()), key)


def _key_usage(*, signs: bool, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=not signs and not ca,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
