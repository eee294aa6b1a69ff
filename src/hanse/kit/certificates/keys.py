"""Private keys: P-256, one a file, readable by their owner only."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hanse.kit.certificates.files import create, explained, make_directory
from hanse.kit.problems import Problem

PrivateKey = ec.EllipticCurvePrivateKey


def ensure_key(path: Path) -> PrivateKey:
    """The key in this file; a new one is made where there is none. Two processes at once get the same one."""
    make_directory(path.parent)
    if not path.exists():
        create(path, _pem(ec.generate_private_key(ec.SECP256R1())), mode=0o600)
    return load_key(path)


def load_key(path: Path) -> PrivateKey:
    """Read a P-256 key from PEM (PKCS #8); a file that others may read is refused (500)."""
    with explained(path):
        open_to_others = path.stat().st_mode & 0o077
        pem = path.read_bytes()
    if open_to_others:
        raise Problem(500, f"Key {path}", f"other users may read it; run: chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Problem(500, f"Key {path}", "must be one unencrypted private key in PEM (PKCS #8)") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Problem(500, f"Key {path}", "must be an elliptic curve key on P-256 (secp256r1)")
    return key


def _pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
