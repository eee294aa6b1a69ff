"""Building a package from a source directory, signed by option 1 (ETSI GS MEC 037 V3.2.1, 6)."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hanse.kit.problems import bad_request
from hanse.kit.values import ABSENT
from hanse.model.descriptor.application import AppD
from hanse.model.descriptor.tosca import parse
from hanse.model.package import source, tosca_meta
from hanse.model.package.archive import CHUNK
from hanse.model.package.cms import PrivateKey, sign
from hanse.model.package.manifest import FileEntry, Metadata, write_manifest
from hanse.model.package.tosca_meta import ToscaMeta, write_meta
from hanse.model.package.trust import read_certificates

MEC_037: Final = "3.2.1"
SOL_004: Final = "4.4.1"
VNFM_INFO: Final = "etsivnfm:v2.3.1"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_PACKED: Final = (".gz", ".tgz", ".zip", ".qcow2", ".xz", ".zst")


def build(directory: Path, out: Path, *, certificate: Path, key: Path, released: datetime | None = None) -> Path:
    """Build the package of ``directory`` at ``out`` (or in it, if it is a directory), signed with ``key``.

    ``certificate`` is a PEM file, the signer's first, then those between it and its authority. The release time is
    ``released`` or the first date of ChangeLog.txt: the same sources give the same bytes but for the signature.
    `Problem` 400 names the source file at fault.
    """
    signing_key = _read_key(key)
    chain = read_certificates(str(certificate), _read(certificate))
    if not chain or chain[0].public_key() != signing_key.public_key():
        raise bad_request(f"{key} does not fit {certificate}", "the first certificate must be that of the key")
    with tempfile.TemporaryDirectory(prefix="hanse-build-") as staging:
        files = source.collect(directory, Path(staging))
        main = source.main_definition(files)
        appd = parse(main, lambda name: files[name].read_bytes() if name in files else None)
        _check_images(main, appd, files)
        name = PurePosixPath(main).stem
        files[tosca_meta.PATH] = _write(Path(staging) / "TOSCA.meta", write_meta(_meta(name, main, files)))
        metadata = _metadata(appd, released or source.released(files))
        signed = write_manifest(metadata, _entries(files))
        files[f"{name}.mf"] = _write(Path(staging) / "manifest", signed + sign(signed, chain, signing_key))
        target = out / f"{name}.csar" if out.is_dir() else out
        _zip(files, target)
    return target


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise bad_request(f"{path} cannot be read", str(error.strerror)) from None


def _read_key(path: Path) -> PrivateKey:
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise bad_request(f"{path} is not a private key", f"it must be PEM without a password: {error}") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise bad_request(f"{path} cannot sign packages", "it must be an RSA or an elliptic curve key")
    return key


def _check_images(main: str, appd: AppD, files: dict[str, Path]) -> None:
    for image in appd.sw_image_descriptor:
        if image.sw_image not in files:
            raise bad_request(f"{main}: {image.sw_image} is missing", f"the image {image.id} names it; put it there")
        checksum = image.checksum
        if checksum is not ABSENT and checksum.algorithm == "sha-256":
            _check_digest(main, image.sw_image, checksum.hash, source.sha256(files[image.sw_image]))


def _check_digest(main: str, image: str, described: str, actual: str) -> None:
    if described.lower() != actual:
        detail = f"it has {actual}; write '@sha256({image})' and it is filled in"
        raise bad_request(f"{main}: the checksum of {image} is wrong", detail)


def _meta(name: str, main: str, files: dict[str, Path]) -> ToscaMeta:
    def folder(wanted: str) -> str:
        return wanted if any(path.startswith(f"{wanted}/") for path in files) else ""

    return ToscaMeta(
        definitions=main,
        manifest=f"{name}.mf",
        change_log=source.CHANGE_LOG,
        tests=folder("Tests"),
        licenses=folder("Licenses"),
        created_by="Hanse",
    )


def _metadata(appd: AppD, released: datetime) -> Metadata:
    return Metadata(
        vnfd_id=appd.app_d_id,
        vnf_provider_id=appd.app_provider,
        vnf_product_name=appd.app_name,
        vnf_software_version=appd.app_soft_version,
        vnf_package_version=appd.app_d_version,
        vnf_release_date_time=released.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        mec_versions=MEC_037,
        vnfm_info=VNFM_INFO,
        compatible_specification_versions=SOL_004,
        app_info_name="" if appd.app_info_name is ABSENT else _line(appd.app_info_name),
        app_description=_line(appd.app_description),
    )


def _line(text: str) -> str:
    return " ".join(text.split())


def _entries(files: dict[str, Path]) -> list[FileEntry]:
    return [FileEntry(source=name, algorithm="SHA-256", hash=source.sha256(files[name])) for name in sorted(files)]


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _zip(files: dict[str, Path], target: Path) -> None:
    """Write the archive beside ``target`` and put it there when it is whole; TOSCA.meta comes first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    try:
        with zipfile.ZipFile(partial, "w") as archive:
            for name in sorted(files, key=lambda name: (name != tosca_meta.PATH, name)):
                _add(archive, name, files[name])
        os.replace(partial, target)
    except OSError as error:
        raise bad_request(f"{target} cannot be written", str(error.strerror)) from None
    finally:
        partial.unlink(missing_ok=True)


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3
    info.external_attr = 0o100644 << 16
    info.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
    info.file_size = path.stat().st_size
    with path.open("rb") as read, archive.open(info, "w") as written:
        shutil.copyfileobj(read, written, CHUNK)
