"""Verifying packages: what is sound passes, and each way to be wrong is refused by name."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hanse.kit.problems import Problem
from hanse.model.package import Limits, Package, build, verify
from tests.unit.model.package import pki
from tests.unit.model.package.conftest import IMAGE
from tests.unit.model.package.repack import Members, change, pack, resigned, unpack

SERVER_AUTH, CODE_SIGNING = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.3"


def refused(path: Path, ca: pki.Holder, now: datetime = pki.NOW, limits: Limits | None = None) -> Problem:
    with pytest.raises(Problem) as caught:
        verify(path, trust=[ca.pem], now=now, limits=limits)
    assert caught.value.status == 400
    return caught.value


def test_a_sound_package_gives_descriptor_images_and_signer(csar: Path, ca: pki.Holder) -> None:
    package = verify(csar, trust=[ca.pem], now=pki.NOW)
    assert isinstance(package, Package)
    assert package.appd.app_name == "hello"
    assert package.metadata.vnf_package_version == package.appd.app_d_version
    assert package.signer == "CN=Example Apps"
    [image] = package.images
    assert (image.path, image.container_format) == (IMAGE, "bare")
    assert image.supported_virtualisation_environments == ("process",)
    assert image.size == len(unpack(csar)[IMAGE])
    assert len(image.sha256) == 64


def test_an_rsa_signature_and_an_intermediate_authority_are_accepted(
    sources: Path, ca: pki.Holder, tmp_path: Path
) -> None:
    middle = pki.authority("Harbour Apps CA", ca)
    holder = pki.signer("Apps", middle, key=pki.rsa_key(), purpose=CODE_SIGNING)
    built = build(sources, tmp_path / "x.csar", **holder.written(tmp_path / "k", middle))
    assert verify(built, trust=[ca.pem], now=pki.NOW).signer == "CN=Apps"


def test_without_the_intermediate_certificate_the_signer_is_unknown(
    sources: Path, ca: pki.Holder, tmp_path: Path
) -> None:
    holder = pki.signer("Apps", pki.authority("Harbour Apps CA", ca))
    assert "unknown" in refused(build(sources, tmp_path / "x.csar", **holder.written(tmp_path / "k")), ca).title


@pytest.mark.parametrize("name", [IMAGE, "Definitions/hello.yaml", "ChangeLog.txt", "TOSCA-Metadata/TOSCA.meta"])
def test_one_flipped_bit_in_any_file_is_found(name: str, csar: Path, ca: pki.Holder) -> None:
    def flip(members: Members) -> None:
        content = bytearray(members[name])
        content[-1] ^= 1
        members[name] = bytes(content)

    assert name in refused(change(csar, flip), ca).title


def test_no_flipped_byte_of_the_archive_changes_what_is_verified(csar: Path, ca: pki.Holder) -> None:
    sound, content = verify(csar, trust=[ca.pem], now=pki.NOW), csar.read_bytes()
    path = csar.with_name("flipped.csar")
    for at in range(0, len(content), 23):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        try:
            package = verify(path, trust=[ca.pem], now=pki.NOW)
        except Problem:
            continue
        assert (package.appd, package.images, package.metadata) == (sound.appd, sound.images, sound.metadata)


def test_a_truncated_archive_is_refused(csar: Path, ca: pki.Holder) -> None:
    content = csar.read_bytes()
    csar.write_bytes(content[: len(content) // 2])
    assert "ZIP" in refused(csar, ca).title
    csar.unlink()
    assert "ZIP" in refused(csar, ca).title


def test_a_changed_manifest_is_found(csar: Path, ca: pki.Holder) -> None:
    def edit(members: Members) -> None:
        members["hello.mf"] = members["hello.mf"].replace(b"product_name: hello", b"product_name: hallo")

    problem = refused(change(csar, edit), ca)
    assert problem.title == "hello.mf: the signature does not hold"
    assert "changed after it was signed" in problem.detail


def test_an_unsigned_package_is_refused(csar: Path, ca: pki.Holder) -> None:
    def edit(members: Members) -> None:
        members["hello.mf"] = members["hello.mf"].split(b"-----BEGIN")[0]

    assert "not signed" in refused(change(csar, edit), ca).title


def test_a_signature_that_is_not_cms_is_refused(csar: Path, ca: pki.Holder) -> None:
    def edit(members: Members) -> None:
        text = members["hello.mf"].split(b"-----BEGIN")[0]
        members["hello.mf"] = text + b"-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n"

    assert "signature is unreadable" in refused(change(csar, edit), ca).title


def test_a_file_that_the_manifest_does_not_list_is_found(csar: Path, ca: pki.Holder) -> None:
    def edit(members: Members) -> None:
        members["Artifacts/extra.sh"] = b"rm -rf /"

    assert refused(change(csar, edit), ca).title == "Artifacts/extra.sh is not listed"


def test_a_listed_file_that_is_gone_is_found(csar: Path, ca: pki.Holder) -> None:
    assert refused(change(csar, lambda members: members.pop(IMAGE)), ca).title == f"{IMAGE} is missing"


def test_a_missing_hash_is_found(csar: Path, ca: pki.Holder, signer: pki.Holder) -> None:
    def edit(text: bytes) -> bytes:
        head, _, tail = text.partition(b"Source: ChangeLog.txt\n")
        return head + b"Source: ChangeLog.txt\n" + tail.split(b"\n", 2)[2]

    assert refused(resigned(csar, signer, edit), ca).title == "hello.mf: ChangeLog.txt has no hash"


def test_digests_in_capital_letters_are_accepted(csar: Path, ca: pki.Holder, signer: pki.Holder) -> None:
    def edit(text: bytes) -> bytes:
        lines = text.split(b"\n")
        return b"\n".join(b"Hash: " + line[6:].upper() if line.startswith(b"Hash: ") else line for line in lines)

    assert verify(resigned(csar, signer, edit), trust=[ca.pem], now=pki.NOW).appd.app_name == "hello"


def test_metadata_that_differ_from_the_descriptor_are_found(csar: Path, ca: pki.Holder, signer: pki.Holder) -> None:
    path = resigned(csar, signer, lambda text: text.replace(b"software_version: 1.0", b"software_version: 2.0"))
    assert "vnf_software_version" in refused(path, ca).title


def redescribed(csar: Path, signer: pki.Holder, old: bytes, new: bytes) -> Path:
    """The package with another descriptor, its digest in the manifest put right, signed again."""
    name = "Definitions/hello.yaml"
    before = unpack(csar)[name]
    after = before.replace(old, new)
    assert after != before
    path = change(csar, lambda members: members.update({name: after}))
    old_digest, new_digest = (hashlib.sha256(content).hexdigest().encode() for content in (before, after))
    return resigned(path, signer, lambda text: text.replace(old_digest, new_digest))


def test_a_descriptor_that_breaks_a_rule_is_refused_though_signed(
    csar: Path, ca: pki.Holder, signer: pki.Holder
) -> None:
    path = redescribed(csar, signer, b"layer_protocols", b"layers")
    assert refused(path, ca).title == "Definitions/hello.yaml breaks 2 rules"


def test_an_image_that_is_not_the_one_described_is_refused(csar: Path, ca: pki.Holder, signer: pki.Holder) -> None:
    image = unpack(csar)[IMAGE]
    digest = hashlib.sha256(image).hexdigest().encode()
    assert IMAGE in refused(redescribed(csar, signer, digest, b"0" * 64), ca).title
    smaller = redescribed(csar, signer, f"{len(image)} B".encode(), b"1 B")
    assert "larger than described" in refused(smaller, ca).title


def test_an_image_that_is_nowhere_is_refused(csar: Path, ca: pki.Holder, signer: pki.Holder) -> None:
    path = redescribed(csar, signer, b"Artifacts/Images/hello.tar.gz", b"https://example.com/hello.tar.gz")
    assert refused(path, ca).title == "https://example.com/hello.tar.gz is missing"


def test_an_image_elsewhere_is_described_by_its_listed_digest(csar: Path, ca: pki.Holder, signer: pki.Holder) -> None:
    url = b"https://example.com/hello.tar.gz"
    path = redescribed(csar, signer, b"Artifacts/Images/hello.tar.gz", url)
    entry = b"Source: " + url + b"\nAlgorithm: SHA-256\nHash: " + b"ab" * 32 + b"\n\n"
    [image] = verify(resigned(path, signer, lambda text: text + entry), trust=[ca.pem], now=pki.NOW).images
    assert (image.path, image.sha256, image.size) == (url.decode(), "ab" * 32, 0)


def test_a_stranger_who_signs_again_is_not_believed(csar: Path, ca: pki.Holder) -> None:
    stranger = pki.signer("Stranger", pki.authority("Harbour CA"))
    problem = refused(resigned(csar, stranger), ca)
    assert problem.title == "The signer CN=Stranger is unknown"
    assert "Harbour CA" in problem.detail


def test_a_signer_is_no_authority_for_another(csar: Path, ca: pki.Holder, signer: pki.Holder) -> None:
    assert "unknown" in refused(resigned(csar, pki.signer("Child", signer)), ca).title


def test_a_certificate_that_cannot_be_read_is_a_problem_and_no_crash(csar: Path, ca: pki.Holder) -> None:
    assert "certificate is unreadable" in refused(resigned(csar, pki.malformed("Odd", ca)), ca).title


def test_without_any_authority_nobody_is_believed(csar: Path) -> None:
    with pytest.raises(Problem, match="unknown"):
        verify(csar, trust=[], now=pki.NOW)


@pytest.mark.parametrize("days", [-100, 400])
def test_a_signer_whose_time_is_over_or_not_come_is_refused(days: int, csar: Path, ca: pki.Holder) -> None:
    assert "not valid now" in refused(csar, ca, pki.NOW + timedelta(days=days)).title


@pytest.mark.parametrize("purpose", [{"usage": False}, {"purpose": SERVER_AUTH}])
def test_a_certificate_for_other_purposes_may_not_sign(purpose: dict[str, Any], csar: Path, ca: pki.Holder) -> None:
    assert "may not sign" in refused(resigned(csar, pki.signer("Web", ca, **purpose)), ca).title


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda m: m.pop("TOSCA-Metadata/TOSCA.meta"), "TOSCA-Metadata/TOSCA.meta"),
        (lambda m: m.pop("hello.mf"), "ETSI-Entry-Manifest"),
        (lambda m: m.pop("Definitions/hello.yaml"), "Entry-Definitions"),
        (lambda m: m.pop("ChangeLog.txt"), "ETSI-Entry-Change-Log"),
    ],
)
def test_a_missing_part_is_named(edit: Callable[[Members], Any], named: str, csar: Path, ca: pki.Holder) -> None:
    assert named in refused(change(csar, edit), ca).title


def outer(csar: Path, signer: pki.Holder, options: str = "", *, beside: bool = False) -> Path:
    """The package of option 2, signed with openssl, which is not our code."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed; it signs as others do in tests, nothing else needs it")
    work = csar.parent / "outer"
    work.mkdir()
    (work / "x.csar").write_bytes(csar.read_bytes())
    keys = signer.written(work)
    command = "openssl cms -sign -binary -in x.csar -outform PEM -out x.cms -md sha512 -signer signer.pem -inkey"
    flags = [*options.split(), *(["-nocerts"] if beside else [])]
    subprocess.run([*command.split(), str(keys["key"]), *flags], cwd=work, check=True, capture_output=True)
    members = {"x.csar": csar.read_bytes(), "x.cms": (work / "x.cms").read_bytes()}
    return pack(members | ({"x.cert": signer.pem} if beside else {}), csar.with_name("outer.zip"))


def unsigned(csar: Path) -> Path:
    def edit(members: Members) -> None:
        members["hello.mf"] = members["hello.mf"].split(b"-----BEGIN")[0]

    return change(csar, edit)


@pytest.mark.parametrize("options", ["", "-noattr", "-keyid", "-keyopt rsa_padding_mode:pss"])
def test_a_package_signed_as_a_whole_is_accepted(options: str, csar: Path, ca: pki.Holder) -> None:
    holder = pki.signer("Whole", ca, key=pki.rsa_key() if "rsa" in options else None)
    package = verify(outer(unsigned(csar), holder, options), trust=[ca.pem], now=pki.NOW)
    assert package.signer == "CN=Whole"
    assert package.images[0].path == IMAGE


def test_the_certificate_may_lie_beside_the_signature(csar: Path, ca: pki.Holder, signer: pki.Holder) -> None:
    assert verify(outer(csar, signer, beside=True), trust=[ca.pem], now=pki.NOW).signer == "CN=Example Apps"


def test_two_competing_certificates_are_refused(csar: Path, ca: pki.Holder, signer: pki.Holder) -> None:
    members = unpack(outer(csar, signer)) | {"x.cert": signer.pem}
    assert "competing" in refused(pack(members, csar.with_name("two.zip")), ca).title


def test_another_package_under_the_signature_is_found(csar: Path, ca: pki.Holder, signer: pki.Holder) -> None:
    members = unpack(outer(unsigned(csar), signer))
    members["x.csar"] = csar.read_bytes()
    assert refused(pack(members, csar.with_name("two.zip")), ca).title == "x.cms: the signature does not hold"


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda m: m.pop("x.cms"), "x.cms is missing"),
        (lambda m: m.update({"more.txt": b""}), "more.txt does not belong"),
    ],
)
def test_an_outer_archive_holds_package_and_signature_only(
    edit: Callable[[Members], Any], named: str, csar: Path, ca: pki.Holder, signer: pki.Holder
) -> None:
    members = unpack(outer(csar, signer))
    edit(members)
    assert named in refused(pack(members, csar.with_name("two.zip")), ca).title
