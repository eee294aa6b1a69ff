"""TOSCA.meta, the door of a package (TOSCA Simple Profile YAML 1.3, 6.2; ETSI GS MEC 037 V3.2.1, 6.1)."""

from __future__ import annotations

from typing import Final

from hanse.kit.problems import bad_request
from hanse.kit.values import Value

PATH: Final = "TOSCA-Metadata/TOSCA.meta"
FORMAT_VERSIONS: Final = ("1.0", "1.1")
CSAR_VERSION: Final = "1.1"
_ENTRIES: Final = ("Entry-Manifest", "Entry-Change-Log", "Entry-Tests", "Entry-Licenses", "Entry-Certificate")
_PREFIX: Final = "ETSI-"


class ToscaMeta(Value):
    """Where the parts of a package are; empty where it has none."""

    definitions: str
    manifest: str
    change_log: str
    tests: str = ""
    licenses: str = ""
    certificate: str = ""
    created_by: str = ""


def read_meta(content: bytes) -> ToscaMeta:
    """Read the first block of the file; 400 names the key that is missing or wrong."""
    values = _first_block(content)
    _check_version(values, "TOSCA-Meta-File-Version", FORMAT_VERSIONS)
    _check_version(values, "CSAR-Version", (CSAR_VERSION,))
    return ToscaMeta(
        definitions=_required(values, "Entry-Definitions"),
        manifest=_required(values, "ETSI-Entry-Manifest"),
        change_log=_required(values, "ETSI-Entry-Change-Log"),
        tests=values.get("ETSI-Entry-Tests", ""),
        licenses=values.get("ETSI-Entry-Licenses", ""),
        certificate=values.get("ETSI-Entry-Certificate", ""),
        created_by=_required(values, "Created-By"),
    )


def write_meta(meta: ToscaMeta) -> bytes:
    """The file as it is packed."""
    lines = {
        "TOSCA-Meta-File-Version": FORMAT_VERSIONS[-1],
        "CSAR-Version": CSAR_VERSION,
        "Created-By": meta.created_by,
        "Entry-Definitions": meta.definitions,
        "ETSI-Entry-Manifest": meta.manifest,
        "ETSI-Entry-Change-Log": meta.change_log,
        "ETSI-Entry-Tests": meta.tests,
        "ETSI-Entry-Licenses": meta.licenses,
        "ETSI-Entry-Certificate": meta.certificate,
    }
    return "".join(f"{key}: {value}\n" for key, value in lines.items() if value).encode()


def _first_block(content: bytes) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in _decoded(content).splitlines():
        if not line.strip():
            break
        key, colon, value = line.partition(":")
        key, value = key.strip(), value.strip()
        if not colon or not key:
            raise bad_request(f"{PATH} has a line without a colon", f"each line is `Name: value`, not {line[:60]!r}")
        # names without ETSI- are older spellings of the same key
        key = _PREFIX + key if key in _ENTRIES else key
        if values.setdefault(key, value) != value:
            raise bad_request(f"{PATH}: {key} is there twice", f"it says {values[key]} and {value}; keep one")
    return values


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise bad_request(f"{PATH} is not text", "it is written in UTF-8") from None


def _required(values: dict[str, str], key: str) -> str:
    if not values.get(key):
        raise bad_request(f"{PATH}: {key} is missing", f"write a line `{key}: …`")
    return values[key]


def _check_version(values: dict[str, str], key: str, known: tuple[str, ...]) -> None:
    version = _required(values, key)
    if version not in known:
        raise bad_request(f"{PATH}: {key} is unknown", f"{version} is not one of {', '.join(known)}")
