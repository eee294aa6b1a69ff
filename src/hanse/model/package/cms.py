"""Signatures in CMS, made and verified (RFC 5652; algorithms of RFC 5754 and RFC 4056)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any, Final

from asn1crypto import algos, cms, pem  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import pkcs7

from hanse.kit.problems import Problem, bad_request

HASHES: Final[dict[str, type[hashes.HashAlgorithm]]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Digest = Callable[[str], bytes]
"""Gives the digest of the signed content by the name of the hash (``sha256``)."""


class Signature:
    """A CMS signature with its certificates, read and not yet verified."""

    def __init__(self, name: str, content: bytes) -> None:
        """``name`` is the file it is from; `Problem` 400 if it is not one detached signature of one signer."""
        self.name = name
        try:
            der = pem.unarmor(content)[2] if pem.detect(content) else content
            info = cms.ContentInfo.load(der, strict=True)
            if info["content_type"].native != "signed_data":
                raise ValueError("it holds no signed data")
            self._data = info["content"]
            self.certificates = [
                x509.load_der_x509_certificate(choice.chosen.dump())
                for choice in self._data["certificates"] or []
                if choice.name == "certificate"
            ]
            signers = list(self._data["signer_infos"])
        except (ValueError, TypeError, KeyError, AttributeError, x509.InvalidVersion) as error:
            raise bad_request(f"{name}: the signature is unreadable", f"it must be CMS signed data: {error}") from None
        if len(signers) != 1:
            raise bad_request(f"{name}: the signature has {len(signers)} signers", "it must have exactly one")
        self._signer = signers[0]

    def verify(self, digest_of: Digest, others: list[x509.Certificate]) -> x509.Certificate:
        """The signer's certificate, from the signature or ``others``, if its key signed the content; else 400."""
        try:
            certificate = self._signer_certificate([*self.certificates, *others])
            content_digest = digest_of(self._hash_name())
            self._verify(certificate, content_digest)
        except InvalidSignature:
            raise self._refused("the content was changed after it was signed") from None
        except (ValueError, TypeError, KeyError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
            raise self._refused(str(error)) from None
        return certificate

    def _refused(self, why: str) -> Problem:
        return bad_request(f"{self.name}: the signature does not hold", why)

    def _hash_name(self) -> str:
        name = str(self._signer["digest_algorithm"]["algorithm"].native)
        if name not in HASHES:
            raise ValueError(f"the digest {name} is not one of {', '.join(HASHES)}")
        return name

    def _signer_certificate(self, certificates: list[x509.Certificate]) -> x509.Certificate:
        matching = {c.fingerprint(hashes.SHA256()): c for c in certificates if self._identifies(c)}
        if not matching:
            raise ValueError("no certificate of the signer is given, neither in the signature nor beside it")
        if len(matching) > 1:
            raise ValueError("two certificates claim to be the signer's; give one")
        return next(iter(matching.values()))

    def _identifies(self, certificate: x509.Certificate) -> bool:
        sid = self._signer["sid"]
        if sid.name == "issuer_and_serial_number":
            issuer = sid.chosen["issuer"].dump() == certificate.issuer.public_bytes()
            return bool(issuer and sid.chosen["serial_number"].native == certificate.serial_number)
        extensions = certificate.extensions
        try:
            key_id = extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        except x509.ExtensionNotFound:
            return False
        return bool(sid.native == key_id)

    def _verify(self, certificate: x509.Certificate, content_digest: bytes) -> None:
        digest_name = self._hash_name()
        attributes = self._signer["signed_attrs"]
        signed_digest = content_digest
        if len(attributes):
            _check_attributes(attributes, content_digest)
            # signed as SET OF, sent with an implicit tag (RFC 5652, 5.4)
            signed_digest = hashlib.new(digest_name, attributes.untag().dump()).digest()
        signature = self._signer["signature"].native
        _verify_key(certificate, self._signer["signature_algorithm"], digest_name, signature, signed_digest)


def _check_attributes(attributes: cms.CMSAttributes, content_digest: bytes) -> None:
    found: dict[str, list[Any]] = {}
    for attribute in attributes:
        found.setdefault(attribute["type"].native, []).extend(attribute["values"].native)
    if found.get("content_type") != ["data"]:
        raise ValueError("the signed content type must be data")
    if found.get("message_digest") != [content_digest]:
        raise InvalidSignature


def _verify_key(
    certificate: x509.Certificate,
    algorithm: algos.SignedDigestAlgorithm,
    digest_name: str,
    signature: bytes,
    signed_digest: bytes,
) -> None:
    kind = algorithm.signature_algo
    # plain rsaEncryption leaves the hash to the digest algorithm (RFC 5754, 3.2); all others name theirs
    if algorithm["algorithm"].native != "rsassa_pkcs1v15" and algorithm.hash_algo != digest_name:
        raise ValueError(f"the digest {digest_name} and the signature's {algorithm.hash_algo} differ")
    hashed = utils.Prehashed(HASHES[digest_name]())
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pkcs1v15":
        key.verify(signature, signed_digest, padding.PKCS1v15(), hashed)
    elif isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pss":
        mask = padding.MGF1(HASHES[algorithm.hash_algo]())
        key.verify(signature, signed_digest, padding.PSS(mask, algorithm["parameters"]["salt_length"].native), hashed)
    elif isinstance(key, ec.EllipticCurvePublicKey) and kind == "ecdsa":
        key.verify(signature, signed_digest, ec.ECDSA(hashed))
    else:
        raise ValueError(f"a key of the kind {type(key).__name__} and the algorithm {kind} do not fit")


def sign(content: bytes, chain: list[x509.Certificate], key: PrivateKey) -> bytes:
    """A detached signature as a PEM block ``CMS``, with the certificates in it, the signer's first."""
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(chain[0], key, hashes.SHA256())
    for certificate in chain[1:]:
        builder = builder.add_certificate(certificate)
    options = [pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.NoCapabilities]
    text = base64.b64encode(builder.sign(serialization.Encoding.DER, options)).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CMS-----", *lines, "-----END CMS-----", ""]).encode()
