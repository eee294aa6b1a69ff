"""Whom we believe: chains of certificates up to an anchor (RFC 5280, 6), and keys that may sign packages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from hanse.kit.problems import bad_request

SIGNING_PURPOSES = frozenset(
    {
        ExtendedKeyUsageOID.CODE_SIGNING,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    }
)


def read_certificates(name: str, content: bytes) -> list[x509.Certificate]:
    """Certificates of a PEM or DER file; 400 names the file."""
    try:
        if content.lstrip().startswith(b"-----"):
            return x509.load_pem_x509_certificates(content)
        return [x509.load_der_x509_certificate(content)]
    except ValueError as error:
        raise bad_request(f"{name} is not a certificate", f"it must be X.509 in PEM or DER: {error}") from None


def check_signer(
    signer: x509.Certificate, between: Iterable[x509.Certificate], anchors: Iterable[x509.Certificate], now: datetime
) -> None:
    """400 unless ``signer`` may sign, is valid at ``now`` and a chain leads from it to one of the ``anchors``."""
    try:
        _check_signer(signer, list(between), list(anchors), now)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        # cryptography reads the parts of a certificate only when they are asked for
        raise bad_request("The signer's certificate is unreadable", f"it must be sound X.509: {error}") from None


def _check_signer(
    signer: x509.Certificate, between: list[x509.Certificate], anchors: list[x509.Certificate], now: datetime
) -> None:
    name = signer.subject.rfc4514_string()
    if not signer.not_valid_before_utc <= now <= signer.not_valid_after_utc:
        detail = f"the certificate is valid from {signer.not_valid_before_utc} to {signer.not_valid_after_utc}"
        raise bad_request(f"The signer {name} is not valid now", detail)
    if not _may_sign(signer):
        detail = "its key usage must be digitalSignature or nonRepudiation, its extended usage codeSigning or none"
        raise bad_request(f"The signer {name} may not sign packages", detail)
    _check_chain(name, signer, between, anchors, now)


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        if not (usage.digital_signature or usage.content_commitment):
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return not SIGNING_PURPOSES.isdisjoint(purposes)


def _check_chain(
    name: str,
    signer: x509.Certificate,
    between: list[x509.Certificate],
    anchors: list[x509.Certificate],
    now: datetime,
) -> None:
    if signer in anchors:
        return
    if not anchors:
        raise bad_request(f"The signer {name} is unknown", "no certificate authority is trusted; name one")
    policy = (
        verification.PolicyBuilder().store(verification.Store(anchors)).time(now.astimezone(UTC).replace(tzinfo=None))
    )
    policy = policy.extension_policies(
        ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(),
        ee_policy=verification.ExtensionPolicy.permit_all(),
    )
    try:
        policy.build_client_verifier().verify(signer, between)
    except verification.VerificationError as error:
        known = ", ".join(anchor.subject.rfc4514_string() for anchor in anchors)
        detail = f"no valid chain leads to {known}: {error}"
        raise bad_request(f"The signer {name} is unknown", detail) from None
