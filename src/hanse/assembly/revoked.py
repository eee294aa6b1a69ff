"""Keys that count no more although their certificates have not ended: one file, read by all elements of an operator."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hanse.kit.certificates.files import explained, replace
from hanse.kit.recent import Recent
from hanse.kit.watched_file import WatchedFile

CACHED = 1024


def key_of(certificate: x509.Certificate) -> str:
    """What a key is named by here: SHA-256 of its SubjectPublicKeyInfo, in hex. It outlasts renewals."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


class RevokedKeys:
    """The list, one key a line with a word on whose it was; looked at on every call, so a change is felt at once."""

    def __init__(self, file: Path) -> None:
        self._file = WatchedFile(file)
        self._keys: frozenset[str] = frozenset()
        self._known: Recent[bytes, str] = Recent(CACHED)

    def cover(self, certificate: bytes) -> bool:
        """Whether the key of a certificate (DER) was revoked."""
        if self._file.changed():
            lines = (self._file.content or b"").decode("utf-8", "replace").splitlines()
            self._keys = frozenset(line.split()[0] for line in lines if line.strip())
        if not self._keys:
            return False
        key = self._known.find(certificate)
        if key is None:
            key = self._known.keep(certificate, key_of(x509.load_der_x509_certificate(certificate)))
        return key in self._keys


def revoke(file: Path, certificate: x509.Certificate, whose: str) -> None:
    """Put a key on the list; said again, it changes nothing. Blocks."""
    with explained(file):
        before = file.read_text() if file.exists() else ""
    key = key_of(certificate)
    if key not in before:
        replace(file, f"{before}{key} {whose}\n".encode(), mode=0o644)
