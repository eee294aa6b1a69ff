"""Packages changed the way an attacker or a broken tool would, each with what is to be said of it."""

from __future__ import annotations

import hashlib
import io
import re
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hanse.kit.certificates import Authority, Identity
from hanse.model.package.cms import sign
from hanse.model.package.manifest import BEGIN
from tests.scenarios.scene import Scene

Members = dict[str, bytes]
MANIFEST, DESCRIPTOR, LICENCE = "speech.mf", "Definitions/speech.yaml", "Licenses/LICENSE.txt"


def unpacked(archive: Path) -> Members:
    with zipfile.ZipFile(archive) as opened_archive:
        return {name: opened_archive.read(name) for name in opened_archive.namelist()}


def packed(members: Members) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def signed(members: Members, signer: Identity) -> Members:
    """The members with the manifest signed anew."""
    text = members[MANIFEST].split(BEGIN)[0]
    key = load_pem_private_key(signer.key_path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return {**members, MANIFEST: text + sign(text, [signer.certificate], key)}


def replaced(members: Members, name: str, content: bytes) -> Members:
    """The members with one changed, and its digest in the manifest as well."""
    old, new = (hashlib.sha256(c).hexdigest().encode() for c in (members[name], content))
    manifest = re.sub(old, new, members[MANIFEST], flags=re.IGNORECASE)
    assert manifest != members[MANIFEST]
    return {**members, name: content, MANIFEST: manifest}


def signers(scene: Scene) -> dict[str, Identity]:
    """One that counts, one whose time has passed, one of an authority that nobody here knows."""
    directory = scene.stage.directory / "signers"
    providers = scene.stage.deployment.provider_authority()

    def long_ago() -> float:
        return time.time() - timedelta(days=100).total_seconds()

    aged = Authority(providers.certificate_path, providers.certificate, providers.key, long_ago)
    return {
        "known": scene.stage.deployment.signer("earshot"),
        "expired": aged.issue_signer("late", directory, lifetime=timedelta(days=10)),
        "unknown": Authority.ensure(directory, "strangers").issue_signer("stranger", directory),
    }


def flipped(content: bytes) -> bytes:
    """One bit of the first member's packed data is another."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        info = archive.getinfo(LICENCE)
    at = info.header_offset + 30 + len(LICENCE) + info.compress_size // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def without_hash(manifest: bytes) -> bytes:
    entry = rb"(Source: " + re.escape(LICENCE.encode()) + rb"\r?\n)Algorithm: [^\n]*\nHash: [^\n]*\n"
    changed = re.sub(entry, rb"\1", manifest)
    assert changed != manifest
    return changed


Breaking = Callable[[Members, dict[str, Identity]], bytes]
BROKEN: dict[str, tuple[Breaking, str]] = {
    "a flipped byte": (lambda m, s: flipped(packed(m)), f"^{LICENCE} is damaged"),
    "a changed file": (lambda m, s: packed({**m, LICENCE: b"all yours"}), f"^{LICENCE} was changed"),
    "a missing hash": (
        lambda m, s: packed(signed({**m, MANIFEST: without_hash(m[MANIFEST])}, s["known"])),
        f"^{MANIFEST}: {LICENCE} has no hash",
    ),
    "a missing file": (lambda m, s: packed({n: c for n, c in m.items() if n != LICENCE}), f"^{LICENCE} is missing"),
    "an unlisted file": (lambda m, s: packed({**m, "Extra/stowaway": b"boo"}), "^Extra/stowaway is not listed"),
    "an unknown signer": (lambda m, s: packed(signed(m, s["unknown"])), "^The signer CN=stranger"),
    "an expired signer": (lambda m, s: packed(signed(m, s["expired"])), "^The signer CN=late.* not valid now"),
    "a tampered manifest": (
        lambda m, s: packed({**m, MANIFEST: m[MANIFEST].replace(b"Earshot", b"Airshot")}),
        f"^{MANIFEST}",
    ),
    "no signature": (lambda m, s: packed({**m, MANIFEST: m[MANIFEST].split(BEGIN)[0]}), f"^{MANIFEST} is not signed"),
    "a descriptor that breaks its schema": (
        lambda m, s: packed(
            signed(
                replaced(m, DESCRIPTOR, m[DESCRIPTOR].replace(b"num_virtual_cpu: 1", b"num_virtual_cpu: many")),
                s["known"],
            )
        ),
        f"^{DESCRIPTOR} breaks a rule: .*num_virtual_cpu: must be a whole number",
    ),
    "a bomb": (lambda m, s: packed({**m, "Extra/zeros": bytes(64 * 1024 * 1024)}), "Extra/zeros"),
    "no archive": (lambda m, s: b"this is no archive" * 100, "archive|ZIP"),
}
