"""Changing a package the way an attacker or a broken tool would."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from hanse.model.package.cms import sign
from hanse.model.package.manifest import BEGIN
from tests.unit.model.package.pki import Holder

Members = dict[str, bytes]


def unpack(csar: Path) -> Members:
    with zipfile.ZipFile(csar) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(members: Members, out: Path) -> Path:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out


def change(csar: Path, edit: Callable[[Members], object]) -> Path:
    """The package with its members edited."""
    members = unpack(csar)
    edit(members)
    return pack(members, csar.with_name("changed.csar"))


def resigned(csar: Path, signer: Holder, edit: Callable[[bytes], bytes] = lambda text: text) -> Path:
    """The package with its manifest edited and signed again."""

    def again(members: Members) -> None:
        text = edit(members["hello.mf"].split(BEGIN)[0])
        members["hello.mf"] = text + sign(text, [signer.certificate], signer.key)

    return change(csar, again)
