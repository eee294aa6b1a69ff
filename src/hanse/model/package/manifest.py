"""The manifest of a package: metadata, the digest of every file, a signature (ETSI GS MEC 037 V3.2.1, 6.2.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from hanse.kit.problems import Problem, bad_request
from hanse.kit.values import Value

BEGIN: Final = b"-----BEGIN CMS-----"
END: Final = b"-----END CMS-----"
ALGORITHMS: Final = {"SHA-256": "sha256", "SHA-512": "sha512"}
"""Digests that a manifest may use, and Python's names of them."""

_VERSIONS: Final = re.compile(r"\d+\.\d+\.\d+( *, *\d+\.\d+\.\d+)*")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_HEX: Final = re.compile(r"[0-9A-Fa-f]+")
_SETS: Final = "non_mano_artifact_sets:"


class Metadata(Value):
    """The metadata block; an empty text is a line that is not there."""

    vnfd_id: str
    vnf_provider_id: str
    vnf_product_name: str
    vnf_software_version: str
    vnf_package_version: str
    vnf_release_date_time: str
    mec_versions: str
    vnfm_info: str
    compatible_specification_versions: str = ""
    app_info_name: str = ""
    app_description: str = ""


class FileEntry(Value):
    """A file of the package, or one elsewhere (a URL); ``hash`` is hexadecimal, empty if it has none."""

    source: str
    algorithm: str = ""
    hash: str = ""

    @property
    def external(self) -> bool:
        """Whether the file is not in the archive."""
        return "://" in self.source


class Manifest(Value):
    """A manifest; ``signed`` are the bytes that the signature covers, ``signature`` its PEM block or empty."""

    metadata: Metadata
    files: tuple[FileEntry, ...]
    signed: bytes
    signature: bytes


_NAMES: Final = msgspec.structs.fields(Metadata)


def read_manifest(path: str, content: bytes) -> Manifest:
    """Read a manifest; 400 names the line or name at fault."""
    signed, signature = _split(path, content)
    try:
        lines = [line.strip() for line in signed.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise bad_request(f"{path} is not text", "it is written in UTF-8") from None
    lines = [line for line in lines if line]
    if not lines or lines[0] != "metadata:":
        raise bad_request(f"{path}: metadata is missing", "the first line is `metadata:`")
    starts = [index for index, line in enumerate(lines) if line.startswith("Source:")]
    ends = [index for index, line in enumerate(lines) if line == _SETS]
    first = min(starts + ends, default=len(lines))
    last = min((index for index in ends if index >= first), default=len(lines))
    metadata = _metadata(path, lines[1:first])
    return Manifest(metadata=metadata, files=tuple(_files(path, lines[first:last])), signed=signed, signature=signature)


def write_manifest(metadata: Metadata, files: list[FileEntry]) -> bytes:
    """The part of a manifest that is signed."""
    values = msgspec.structs.asdict(metadata)
    lines = ["metadata:", *(f"  {name}: {value}" for name, value in values.items() if value)]
    for entry in files:
        lines += ["", f"Source: {entry.source}", f"Algorithm: {entry.algorithm}", f"Hash: {entry.hash}"]
    return ("\n".join(lines) + "\n\n").encode()


def _split(path: str, content: bytes) -> tuple[bytes, bytes]:
    at = content.find(BEGIN)
    if at < 0:
        return content, b""
    block = content[at:]
    if block.count(BEGIN) != 1 or not block.rstrip().endswith(END):
        raise bad_request(f"{path}: the signature is not alone at the end", "one CMS block ends the manifest")
    return content[:at], block


def _pair(path: str, line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise bad_request(f"{path} has a line without a colon", f"each line is `name: value`, not {line[:60]!r}")
    return name.strip(), value.strip()


def _metadata(path: str, lines: list[str]) -> Metadata:
    values: dict[str, str] = {}
    known = {name.name for name in _NAMES}
    for name, value in (_pair(path, line) for line in lines):
        if name not in known:
            raise _wrong(path, name, f"is unknown; there are {', '.join(sorted(known))}")
        if name in values:
            raise _wrong(path, name, "is there twice; keep one")
        values[name] = value
    for name in (name.name for name in _NAMES if name.required):
        if not values.get(name):
            raise _wrong(path, name, "is missing from the metadata")
    _check_formats(path, values)
    return Metadata(**values)


def _wrong(path: str, name: str, why: str) -> Problem:
    return bad_request(f"{path}: {name} {why.split(';')[0]}", f"{name} {why}")


def _check_formats(path: str, values: dict[str, str]) -> None:
    for name in ("mec_versions", "compatible_specification_versions"):
        if values.get(name) and not _VERSIONS.fullmatch(values[name]):
            raise _wrong(path, name, f"is malformed; it lists versions x.y.z, not {values[name][:60]!r}")
    if not is_date_time(values["vnf_release_date_time"]):
        raise _wrong(path, "vnf_release_date_time", "is malformed; it is like 2025-01-15T09:00:00Z (RFC 3339)")


def is_date_time(text: str) -> bool:
    """Whether ``text`` is a date and time of RFC 3339."""
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return True


def _files(path: str, lines: list[str]) -> Iterator[FileEntry]:
    groups: list[dict[str, str]] = []
    for name, value in (_pair(path, line) for line in lines):
        if name == "Source":
            groups.append({})
        elif name not in ("Algorithm", "Hash", "Signature", "Certificate"):
            raise _wrong(path, name[:40], "is unknown; an entry has Source, Algorithm and Hash")
        if groups[-1].setdefault(name, value) != value:
            raise _wrong(path, name, f"is there twice; {groups[-1].get('Source')} has two of them")
    seen: set[str] = set()
    for group in groups:
        if group["Source"] in seen:
            raise bad_request(f"{path}: {group['Source']} is listed twice", "list every file once")
        seen.add(group["Source"])
        yield _entry(path, group)


def _entry(path: str, group: dict[str, str]) -> FileEntry:
    source, algorithm, digest = group["Source"], group.get("Algorithm", "").upper(), group.get("Hash", "")
    if bool(algorithm) != bool(digest):
        raise bad_request(f"{path}: {source} has half a digest", "give both Algorithm and Hash")
    if algorithm and algorithm not in ALGORITHMS:
        raise bad_request(f"{path}: {source} has an unknown algorithm", f"use one of {', '.join(ALGORITHMS)}")
    if digest and not _HEX.fullmatch(digest):
        raise bad_request(f"{path}: {source} has a malformed hash", "it is written in hexadecimal digits")
    return FileEntry(source=source, algorithm=algorithm, hash=digest.lower())
