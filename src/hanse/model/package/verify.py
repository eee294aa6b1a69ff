"""Verifying a package, in the order of ETSI GS MEC 037 V3.2.1, 6.2.2, 6.2.3 and NFV-SOL 004, 5."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from hanse.kit.problems import bad_request
from hanse.kit.values import ABSENT
from hanse.model.descriptor.application import AppD
from hanse.model.descriptor.resources import SwImageDescriptor
from hanse.model.descriptor.tosca import parse
from hanse.model.package import tosca_meta
from hanse.model.package.archive import Archive, Limits
from hanse.model.package.cms import Digest, Signature
from hanse.model.package.manifest import ALGORITHMS, FileEntry, Manifest, Metadata, read_manifest
from hanse.model.package.tosca_meta import ToscaMeta, read_meta
from hanse.model.package.trust import check_signer, read_certificates
from hanse.model.package.values import Package, PackageImage
from hanse.model.package.wrapper import Outer, open_package

SAME: Final = {
    "vnfd_id": "app_d_id",
    "vnf_provider_id": "app_provider",
    "vnf_product_name": "app_name",
    "vnf_software_version": "app_soft_version",
    "vnf_package_version": "app_d_version",
}
"""Metadata of the manifest and the attribute of AppD that must be the same (6.2.2, notes 1 and 2)."""


def verify(path: Path, *, trust: Sequence[bytes], now: datetime, limits: Limits | None = None) -> Package:
    """The package at ``path``, if it is sound and signed by someone whom one of the authorities in ``trust`` knows.

    ``trust`` are PEM files of certificate authorities, ``now`` is aware of its zone. Everything wrong is a `Problem`
    400 whose title names the file or field.
    """
    anchors = [certificate for pem in trust for certificate in read_certificates("trust", pem)]
    with open_package(path, limits) as opened:
        archive, signer = opened.archive, None
        if opened.outer is not None:
            signer = _verify_outer(opened.outer, anchors, now)
        meta = _read_meta(archive)
        manifest = read_manifest(meta.manifest, archive.text(meta.manifest))
        if manifest.signature:
            signer = _verify_manifest(archive, meta, manifest, anchors, now)
        if signer is None:
            raise bad_request(
                f"{meta.manifest} is not signed", "end it with a CMS signature, or sign the whole package"
            )
        _check_digests(archive, meta, manifest.files, required=opened.outer is None)
        appd = parse(meta.definitions, lambda name: archive.text(name) if name in archive else None)
        check_metadata(meta.manifest, manifest.metadata, appd)
        listed = {entry.source: entry for entry in manifest.files}
        images = tuple(_image(archive, image, listed) for image in appd.sw_image_descriptor)
        return Package(path=path, appd=appd, metadata=manifest.metadata, images=images, signer=signer)


def _read_meta(archive: Archive) -> ToscaMeta:
    if tosca_meta.PATH not in archive:
        raise bad_request(f"{tosca_meta.PATH} is missing", "a package has it")
    meta = read_meta(archive.text(tosca_meta.PATH))
    parts = {
        "Entry-Definitions": meta.definitions,
        "ETSI-Entry-Manifest": meta.manifest,
        "ETSI-Entry-Change-Log": meta.change_log,
        "ETSI-Entry-Certificate": meta.certificate,
    }
    for key, name in parts.items():
        if name and name not in archive:
            raise bad_request(f"{tosca_meta.PATH}: {key} names {name}", "there is no such file in the package")
    return meta


def _verify_outer(outer: Outer, anchors: list[x509.Certificate], now: datetime) -> str:
    def digest(name: str) -> bytes:
        return bytes.fromhex(outer.archive.digest(outer.csar, name))

    signature = Signature(outer.signature, outer.archive.text(outer.signature))
    return _verify_signature(outer.archive, signature, outer.certificate, digest, anchors, now)


def _verify_manifest(
    archive: Archive, meta: ToscaMeta, manifest: Manifest, anchors: list[x509.Certificate], now: datetime
) -> str:
    def digest(name: str) -> bytes:
        return hashlib.new(name, manifest.signed).digest()

    signature = Signature(meta.manifest, manifest.signature)
    return _verify_signature(archive, signature, meta.certificate, digest, anchors, now)


def _verify_signature(
    archive: Archive,
    signature: Signature,
    certificate: str,
    digest: Digest,
    anchors: list[x509.Certificate],
    now: datetime,
) -> str:
    if certificate and signature.certificates:
        detail = f"the signature has one inside, {certificate} is another; keep one"
        raise bad_request(f"{signature.name}: two competing certificates", detail)
    beside = read_certificates(certificate, archive.text(certificate)) if certificate else []
    signer = signature.verify(digest, beside)
    between = [other for other in (*signature.certificates, *beside) if other != signer]
    check_signer(signer, between, anchors, now)
    return signer.subject.rfc4514_string()


def _check_digests(archive: Archive, meta: ToscaMeta, files: Iterable[FileEntry], *, required: bool) -> None:
    """Every listed file is there and unchanged, every file that is there is listed (6.2.2)."""
    files = list(files)
    required = required or any(entry.external for entry in files)
    own = {meta.manifest, meta.certificate}
    for entry in files:
        if not entry.hash and required and entry.source not in own:
            raise bad_request(f"{meta.manifest}: {entry.source} has no hash", "give its Algorithm and Hash")
        if entry.external:
            continue
        if entry.source not in archive:
            raise bad_request(f"{entry.source} is missing", f"{meta.manifest} lists it and the package lacks it")
        if entry.hash and archive.digest(entry.source, ALGORITHMS[entry.algorithm]) != entry.hash:
            raise bad_request(f"{entry.source} was changed", f"its digest is not the one in {meta.manifest}")
    unlisted = set(archive.names) - {entry.source for entry in files} - own
    if unlisted:
        raise bad_request(f"{min(unlisted)} is not listed", f"{meta.manifest} must list every file of the package")


def check_metadata(manifest: str, metadata: Metadata, appd: AppD) -> None:
    """400 where manifest and descriptor disagree on what the package is."""
    for name, attribute in SAME.items():
        said, described = getattr(metadata, name), getattr(appd, attribute)
        if said != described:
            detail = f"the manifest says {said!r}, the descriptor {described!r}; they must be the same"
            raise bad_request(f"{manifest}: {name} differs from the descriptor", detail)


def _image(archive: Archive, image: SwImageDescriptor, listed: dict[str, FileEntry]) -> PackageImage:
    entry = listed.get(image.sw_image)
    if entry is None:
        raise bad_request(
            f"{image.sw_image} is missing", f"the image {image.id} must be in the package, or listed by URL"
        )
    sha256 = entry.hash if entry.algorithm == "SHA-256" else ""
    if not entry.external:
        sha256 = sha256 or archive.digest(entry.source)
        _check_image(archive, image, sha256)
    return PackageImage(
        name=image.name,
        path=image.sw_image,
        sha256=sha256,
        size=0 if entry.external else archive.size(entry.source),
        container_format=image.container_format,
        supported_virtualisation_environments=image.supported_virtualisation_environment,
    )


def _check_image(archive: Archive, image: SwImageDescriptor, sha256: str) -> None:
    if image.checksum is not ABSENT:
        algorithm = image.checksum.algorithm.replace("-", "")
        digest = sha256 if algorithm == "sha256" else archive.digest(image.sw_image, algorithm)
        if digest != image.checksum.hash.lower():
            raise bad_request(f"{image.sw_image} is not the image described", f"the checksum of {image.id} is another")
    size = archive.size(image.sw_image)
    if image.size is not ABSENT and image.size < size:
        raise bad_request(
            f"{image.sw_image} is larger than described", f"{image.id} says {image.size} bytes, not {size}"
        )
