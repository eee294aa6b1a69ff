"""Building packages."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from hanse.kit.problems import Problem
from hanse.model.package import build, verify
from hanse.model.package.manifest import BEGIN
from tests.unit.model.package import pki
from tests.unit.model.package.conftest import IMAGE, template
from tests.unit.model.package.repack import unpack

Files = dict[str, Any]


def test_a_built_package_has_the_layout_of_the_standard(csar: Path) -> None:
    names = list(unpack(csar))
    assert names[0] == "TOSCA-Metadata/TOSCA.meta"
    assert set(names[1:]) == {"ChangeLog.txt", "Definitions/hello.yaml", "Licenses/LICENSE", IMAGE, "hello.mf"}
    meta = unpack(csar)["TOSCA-Metadata/TOSCA.meta"].decode().splitlines()
    assert "Entry-Definitions: Definitions/hello.yaml" in meta
    assert "ETSI-Entry-Manifest: hello.mf" in meta
    assert "ETSI-Entry-Licenses: Licenses" in meta


def test_the_manifest_says_what_the_package_is_and_the_digest_of_every_file(csar: Path) -> None:
    members = unpack(csar)
    manifest = members.pop("hello.mf").decode()
    assert "  vnfd_id: 7b0b6a52-1c2d-4f6e-9f0e-3a5d7c9b1e24\n" in manifest
    assert "  vnf_release_date_time: 2026-02-03T00:00:00Z\n" in manifest
    for name, content in members.items():
        assert f"Source: {name}\nAlgorithm: SHA-256\nHash: {hashlib.sha256(content).hexdigest()}\n" in manifest


@pytest.mark.usefixtures("openssl")
@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_openssl_accepts_the_signature(kind: str, sources: Path, ca: pki.Holder, tmp_path: Path) -> None:
    holder = pki.signer("Apps", ca, key=pki.rsa_key() if kind == "rsa" else None)
    built = build(sources, tmp_path / "x.csar", **holder.written(tmp_path / "k"))
    text, _, block = unpack(built)["hello.mf"].partition(BEGIN)
    (tmp_path / "text").write_bytes(text)
    (tmp_path / "cms").write_bytes(BEGIN + block)
    (tmp_path / "ca.pem").write_bytes(ca.pem)
    command = "openssl cms -verify -binary -inform PEM -in cms -content text -CAfile ca.pem -purpose any -out signed"
    moment = str(int(pki.NOW.timestamp()))
    done = subprocess.run([*command.split(), "-attime", moment], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "signed").read_bytes() == text
    (tmp_path / "text").write_bytes(text + b" ")
    done = subprocess.run([*command.split(), "-attime", moment], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode != 0


def test_the_same_sources_give_the_same_bytes_but_for_the_signature(
    sources: Path, files: Files, tmp_path: Path
) -> None:
    one = unpack(build(sources, tmp_path / "one.csar", **files))
    for path in sources.rglob("*"):
        path.touch()
    other = unpack(build(sources, tmp_path / "other.csar", **files))
    one["hello.mf"], other["hello.mf"] = one["hello.mf"].split(BEGIN)[0], other["hello.mf"].split(BEGIN)[0]
    assert one == other
    assert list(one) == list(other)


def test_no_time_of_the_builder_is_in_the_archive(csar: Path) -> None:
    with zipfile.ZipFile(csar) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_images_are_packed_without_owners_and_caches_and_keep_executable_files(csar: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(unpack(csar)[IMAGE])) as image:
        entries = {entry.name: (entry.mode, entry.uid, entry.mtime) for entry in image}
    assert entries == {
        "app.py": (0o644, 0, 0),
        "lib/words.txt": (0o644, 0, 0),
        "process.json": (0o644, 0, 0),
        "run.sh": (0o755, 0, 0),
    }


def test_a_process_bundle_says_what_to_run(csar: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(unpack(csar)[IMAGE])) as image:
        command = image.extractfile("process.json")
        assert command is not None
        assert json.load(command) == {"command": ["python3", "app.py"]}


def test_the_descriptor_gets_digest_and_size_of_the_packed_image(csar: Path) -> None:
    members = unpack(csar)
    document = yaml.safe_load(members["Definitions/hello.yaml"])
    properties = document["topology_template"]["node_templates"]["vm"]["artifacts"]["image"]["properties"]
    assert properties["checksum"]["hash"] == hashlib.sha256(members[IMAGE]).hexdigest()
    assert properties["size"] == f"{len(members[IMAGE])} B"


def test_a_directory_as_target_gets_the_package_under_its_name(sources: Path, files: Files, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert build(sources, out, **files) == out / "hello.csar"
    assert [path.name for path in out.iterdir()] == ["hello.csar"]


def test_the_release_time_can_be_given(sources: Path, files: Files, tmp_path: Path, ca: pki.Holder) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    built = build(sources, tmp_path / "x.csar", released=moment, **files)
    assert verify(built, trust=[ca.pem], now=pki.NOW).metadata.vnf_release_date_time == "2026-01-02T03:04:05Z"


def refused(sources: Path, out: Path, files: Files) -> Problem:
    with pytest.raises(Problem) as caught:
        build(sources, out, **files)
    assert caught.value.status == 400
    assert not out.exists()
    return caught.value


@pytest.mark.parametrize("missing", ["ChangeLog.txt", "Definitions/hello.yaml"])
def test_a_missing_source_file_is_named(missing: str, sources: Path, files: Files, tmp_path: Path) -> None:
    (sources / missing).unlink()
    assert missing.split("/")[0] in refused(sources, tmp_path / "x.csar", files).title


def test_a_missing_image_is_named(sources: Path, files: Files, tmp_path: Path) -> None:
    (sources / "Artifacts/Images/hello").rename(sources / "Artifacts/Images/other")
    problem = refused(sources, tmp_path / "x.csar", files)
    assert IMAGE in problem.title
    assert "other.tar.gz" in problem.detail


def test_a_bad_descriptor_is_named_with_everything_wrong_in_it(sources: Path, files: Files, tmp_path: Path) -> None:
    document: Any = template()
    nodes = document["topology_template"]["node_templates"]
    nodes["app"]["properties"]["flavour_id"] = "large"
    del nodes["cp"]["properties"]["layer_protocols"]
    (sources / "Definitions/hello.yaml").write_text(yaml.safe_dump(document))
    problem = refused(sources, tmp_path / "x.csar", files)
    assert problem.title == "Definitions/hello.yaml breaks 2 rules"
    assert "flavour_id" in problem.detail
    assert "layer_protocols" in problem.detail


def test_a_checksum_written_by_hand_and_wrong_is_refused(sources: Path, files: Files, tmp_path: Path) -> None:
    path = sources / "Definitions/hello.yaml"
    path.write_text(path.read_text().replace(f"'@sha256({IMAGE})'", "'" + "0" * 64 + "'"))
    assert IMAGE in refused(sources, tmp_path / "x.csar", files).title


def test_links_in_the_sources_are_refused(sources: Path, files: Files, tmp_path: Path) -> None:
    (sources / "Artifacts/Images/hello/passwd").symlink_to("/etc/passwd")
    assert "passwd" in refused(sources, tmp_path / "x.csar", files).title


def test_two_main_files_are_refused(sources: Path, files: Files, tmp_path: Path) -> None:
    (sources / "Definitions/second.yaml").write_text((sources / "Definitions/hello.yaml").read_text())
    assert "second.yaml" in refused(sources, tmp_path / "x.csar", files).detail


def test_a_change_log_without_a_date_is_refused(sources: Path, files: Files, tmp_path: Path) -> None:
    (sources / "ChangeLog.txt").write_text("first, 2026-99-99\n")
    assert "ChangeLog.txt" in refused(sources, tmp_path / "x.csar", files).title


def test_a_key_of_another_certificate_is_refused(sources: Path, files: Files, tmp_path: Path, ca: pki.Holder) -> None:
    files["key"] = pki.signer("Other", ca).written(tmp_path / "other")["key"]
    assert "does not fit" in refused(sources, tmp_path / "x.csar", files).title


@pytest.mark.parametrize("which", ["certificate", "key"])
def test_a_file_that_is_no_key_or_certificate_is_named(which: str, sources: Path, files: Files, tmp_path: Path) -> None:
    files[which] = sources / "ChangeLog.txt"
    assert "ChangeLog.txt" in refused(sources, tmp_path / "x.csar", files).title
    files[which] = sources / "absent.pem"
    assert "absent.pem" in refused(sources, tmp_path / "x.csar", files).title
