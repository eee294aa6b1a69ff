"""What stands in a certificate (RFC 5280): the names given, what it may be used for, and nothing else."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hanse.kit.certificates.keys import PrivateKey
from hanse.kit.problems import bad_request
from hanse.kit.values import Value

AUTHORITY_LIFETIME = timedelta(days=3650)
ELEMENT = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
SIGNER = (ExtendedKeyUsageOID.CODE_SIGNING,)
_SKEW = timedelta(minutes=1)  # a peer whose clock is a little behind accepts a new certificate at once
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


class Contents(Value):
    """The names of a certificate and its purposes (extended key usage)."""

    name: str
    purposes: tuple[x509.ObjectIdentifier, ...]
    addresses: tuple[str, ...] = ()
    dns_names: tuple[str, ...] = ()
    uri: str | None = None

    def alternative_names(self) -> list[x509.GeneralName]:
        """The subject alternative names, in one order however they were given (400 if one is not well-formed)."""
        try:
            addresses = sorted({ipaddress.ip_address(a) for a in self.addresses}, key=lambda a: (a.version, int(a)))
            return [
                *(x509.IPAddress(address) for address in addresses),
                *(x509.DNSName(name) for name in sorted(set(self.dns_names))),
                *([x509.UniformResourceIdentifier(self.uri)] if self.uri else []),
            ]
        except ValueError as error:
            raise bad_request(
                f"Names of certificate {self.name}", f"IP addresses, ASCII names and URI: {error}"
            ) from error

    def stand_in(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate says just this."""
        try:
            found = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        except x509.ExtensionNotFound:
            found = []
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        return (
            certificate.subject == subject(self.name)
            and found == self.alternative_names()
            and tuple(purposes) == self.purposes
        )


def subject(name: str) -> x509.Name:
    """A distinguished name of one common name; it names files too, hence the few characters (400)."""
    if not _NAME.fullmatch(name):
        raise bad_request(
            f"Certificate name {name!r}", "1 to 64 letters, digits, '.', '_' or '-', not beginning with '.'"
        )
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def authority_certificate(name: str, key: PrivateKey, now: datetime) -> x509.Certificate:
    """A self-signed certificate of an authority that issues to elements only (path length 0)."""
    until = now + AUTHORITY_LIFETIME
    builder = _builder(subject(name), subject(name), key.public_key(), key.public_key(), now, until)
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def issued_certificate(
    contents: Contents,
    holder: ec.EllipticCurvePublicKey,
    issuer: x509.Certificate,
    key: PrivateKey,
    now: datetime,
    lifetime: timedelta,
) -> x509.Certificate:
    """A certificate for ``holder``, signed with the issuer's ``key``; it never outlives its issuer."""
    until = min(now + lifetime, issuer.not_valid_after_utc)
    builder = _builder(subject(contents.name), issuer.subject, holder, key.public_key(), now, until)
    names = contents.alternative_names()
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(contents.purposes), critical=False)
        .sign(key, hashes.SHA256())
    )


def _builder(
    holder_name: x509.Name,
    issuer_name: x509.Name,
    holder: ec.EllipticCurvePublicKey,
    issuer: ec.EllipticCurvePublicKey,
    now: datetime,
    until: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(holder_name)
        .issuer_name(issuer_name)
        .public_key(holder)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(holder), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
