"""An operator's certificate authority: begun at the first start, kept in a directory, asked for identities.

A key is written once and before its certificate, and a renewed certificate keeps the key. So the pair on the disk fits
at every moment, after a crash between the two and for a process that reads while another renews.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hanse.kit.certificates import profile
from hanse.kit.certificates.files import create, make_directory, replace
from hanse.kit.certificates.identity import Identity, issued_by, load_certificate
from hanse.kit.certificates.keys import PrivateKey, ensure_key
from hanse.kit.certificates.profile import Contents
from hanse.kit.problems import Problem, bad_request

SIGNER_LIFETIME = timedelta(days=365)
_PUBLIC = 0o644


@dataclass(frozen=True)
class Authority:
    """Issues the certificates of one operator. Its methods read and write files: call them at start or in a thread."""

    certificate_path: Path
    certificate: x509.Certificate
    key: PrivateKey
    clock: Callable[[], float]

    @classmethod
    def ensure(cls, directory: Path, name: str, *, clock: Callable[[], float] = time.time) -> Authority:
        """The authority ``name`` of this directory, made if it is not there (P-256, ten years).

        Processes that start at once get the same one. 500 if what is there does not fit together or has expired.
        """
        profile.subject(name)
        path, key_path = directory / f"{name}.ca.pem", directory / f"{name}.ca-key.pem"
        make_directory(directory)
        if path.exists() and not key_path.exists():
            raise Problem(500, f"Key {key_path}", f"is missing; restore it, or delete {path} to begin a new authority")
        key = ensure_key(key_path)
        if not path.exists():
            create(path, _pem(profile.authority_certificate(name, key, _moment(clock))), mode=_PUBLIC)
        certificate = load_certificate(path)
        _check_authority(path, certificate, key, _moment(clock))
        return cls(path, certificate, key, clock)

    def issue(
        self,
        name: str,
        *,
        addresses: Sequence[str] = (),
        dns_names: Sequence[str] = (),
        uri: str | None = None,
        lifetime: timedelta,
        directory: Path,
    ) -> Identity:
        """An identity for both sides of TLS; a certificate that says the same and has a third to live is kept.

        ``uri`` names the element (``hanse://north/mepm.harbour``). 400 for names that are not well-formed.
        """
        contents = Contents(
            name=name, purposes=profile.ELEMENT, addresses=tuple(addresses), dns_names=tuple(dns_names), uri=uri
        )
        files = Identity(certificate_path=directory / f"{name}.cert.pem", key_path=directory / f"{name}.key.pem")
        return self._ensure_issued(contents, files, lifetime)

    def issue_signer(self, name: str, directory: Path, *, lifetime: timedelta = SIGNER_LIFETIME) -> Identity:
        """An identity of a package provider: signs packages (code signing), useless for TLS."""
        files = Identity(
            certificate_path=directory / f"{name}.signer.pem", key_path=directory / f"{name}.signer-key.pem"
        )
        return self._ensure_issued(Contents(name=name, purposes=profile.SIGNER), files, lifetime)

    def _ensure_issued(self, contents: Contents, files: Identity, lifetime: timedelta) -> Identity:
        profile.subject(contents.name)
        if lifetime <= timedelta(0):
            raise bad_request(f"Lifetime of certificate {contents.name}", f"must be more than 0, not {lifetime}")
        key = ensure_key(files.key_path)
        if not self._still_good(contents, files.certificate_path, key, lifetime):
            now = _moment(self.clock)
            issued = profile.issued_certificate(contents, key.public_key(), self.certificate, self.key, now, lifetime)
            replace(files.certificate_path, _pem(issued), mode=_PUBLIC)
        return files

    def _still_good(self, contents: Contents, path: Path, key: PrivateKey, lifetime: timedelta) -> bool:
        if not path.exists():
            return False
        certificate = load_certificate(path)
        left = certificate.not_valid_after_utc - _moment(self.clock)
        return (
            lifetime / 3 < left <= lifetime
            and certificate.public_key() == key.public_key()
            and issued_by(certificate, self.certificate)
            and contents.stand_in(certificate)
        )


def _check_authority(path: Path, certificate: x509.Certificate, key: PrivateKey, now: datetime) -> None:
    if certificate.public_key() != key.public_key():
        raise Problem(500, f"Certificate {path}", "does not belong to the key beside it; restore the two together")
    if certificate.not_valid_after_utc <= now:
        ended = f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        raise Problem(500, f"Certificate {path}", f"ended at {ended}; delete it for a new one, and tell your partners")


def _moment(clock: Callable[[], float]) -> datetime:
    return datetime.fromtimestamp(clock(), UTC)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)
