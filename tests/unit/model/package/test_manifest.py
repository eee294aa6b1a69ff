"""Reading manifests and TOSCA.meta: each line that is wrong is named."""

from __future__ import annotations

import pytest

from hanse.kit.problems import Problem
from hanse.model.package.manifest import FileEntry, Metadata, is_date_time, read_manifest, write_manifest
from hanse.model.package.tosca_meta import ToscaMeta, read_meta, write_meta

METADATA = Metadata(
    vnfd_id="id",
    vnf_provider_id="Example: and sons",
    vnf_product_name="hello",
    vnf_software_version="1.0",
    vnf_package_version="1.0",
    vnf_release_date_time="2025-01-15T09:00:00Z",
    mec_versions="3.2.1, 3.1.1",
    vnfm_info="etsivnfm:v2.3.1",
)
FILES = [
    FileEntry(source="a.yaml", algorithm="SHA-256", hash="0a"),
    FileEntry(source="https://x.example/i", algorithm="SHA-512", hash="1b"),
]
WRITTEN = write_manifest(METADATA, FILES)


def refused(content: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        read_manifest("x.mf", content)
    assert caught.value.status == 400
    assert caught.value.title.startswith("x.mf")
    return caught.value


def test_what_was_written_is_read() -> None:
    manifest = read_manifest("x.mf", WRITTEN)
    assert manifest.metadata == METADATA
    assert list(manifest.files) == FILES
    assert [entry.external for entry in manifest.files] == [False, True]
    assert manifest.signature == b""


def test_the_signature_covers_every_byte_before_it() -> None:
    block = b"-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n"
    manifest = read_manifest("x.mf", WRITTEN + block)
    assert (manifest.signed, manifest.signature) == (WRITTEN, block)


def test_lines_after_the_signature_are_refused() -> None:
    block = b"-----BEGIN CMS-----\nAAAA\n-----END CMS-----\nSource: evil.sh\n"
    assert "not alone" in refused(WRITTEN + block).title


def test_values_stay_text_and_indentation_is_free() -> None:
    manifest = read_manifest("x.mf", WRITTEN.replace(b"  vnf_software_version: 1.0", b"\tvnf_software_version:1.10 "))
    assert manifest.metadata.vnf_software_version == "1.10"


def test_artifacts_for_other_systems_are_passed_over() -> None:
    content = WRITTEN + b"non_mano_artifact_sets:\n  onap_cli:\n    Source: a.yaml\n"
    assert len(read_manifest("x.mf", content).files) == 2


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (b"metadata:\n", b"", "metadata is missing"),
        (b"  vnfd_id: id\n", b"", "vnfd_id is missing"),
        (b"  vnfd_id: id\n", b"  vnfd_id: id\n  vnfd_id: id\n", "vnfd_id is there twice"),
        (b"  vnfd_id: id\n", b"  vnfd_id: id\n  colour: blue\n", "colour is unknown"),
        (b"  vnfd_id: id\n", b"  vnfd_id: id\n  nonsense\n", "without a colon"),
        (b"2025-01-15T09:00:00Z", b"yesterday", "vnf_release_date_time is malformed"),
        (b"3.2.1, 3.1.1", b"3", "mec_versions is malformed"),
        (b"Algorithm: SHA-256\n", b"", "a.yaml has half a digest"),
        (b"SHA-256", b"MD5", "unknown algorithm"),
        (b"Hash: 0a", b"Hash: xyz", "malformed hash"),
        (b"Source: https://x.example/i", b"Source: a.yaml", "listed twice"),
        (b"Hash: 0a", b"Hash: 0a\nHash: 0b", "there twice"),
        (b"Hash: 0a", b"Hash: 0a\nSize: 5", "Size is unknown"),
        (b"hello", b"h\xff", "not text"),
    ],
)
def test_a_wrong_line_is_named(old: bytes, new: bytes, named: str) -> None:
    assert named in refused(WRITTEN.replace(old, new, 1)).title


def test_an_algorithm_in_small_letters_is_read() -> None:
    assert read_manifest("x.mf", WRITTEN.replace(b"SHA-256", b"sha-256")).files[0].algorithm == "SHA-256"


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("2025-01-15T09:00:00+01:00", True),
        ("2025-01-15T09:00:00.5z", True),
        ("2025-13-15T09:00:00Z", False),
        ("2025-01-15", False),
    ],
)
def test_dates_are_of_rfc_3339(text: str, sound: bool) -> None:
    assert is_date_time(text) is sound


META = ToscaMeta(definitions="d.yaml", manifest="x.mf", change_log="c.txt", tests="Tests", created_by="me")


def test_tosca_meta_is_read_as_written() -> None:
    assert read_meta(write_meta(META)) == META


def test_only_the_first_block_counts_and_old_names_are_understood() -> None:
    content = write_meta(META).replace(b"ETSI-Entry-Manifest", b"Entry-Manifest") + b"\nName: x\nEntry-Definitions: y\n"
    assert read_meta(content) == META


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (b"Entry-Definitions: d.yaml\n", b"", "Entry-Definitions is missing"),
        (b"ETSI-Entry-Change-Log: c.txt\n", b"", "ETSI-Entry-Change-Log is missing"),
        (b"ETSI-Entry-Manifest: x.mf\n", b"ETSI-Entry-Manifest: x.mf\nEntry-Manifest: y.mf\n", "there twice"),
        (b"CSAR-Version: 1.1", b"CSAR-Version: 9", "CSAR-Version is unknown"),
        (b"Created-By: me", b"Created by me", "without a colon"),
        (b"me", b"\xff", "not text"),
    ],
)
def test_a_wrong_line_of_tosca_meta_is_named(old: bytes, new: bytes, named: str) -> None:
    with pytest.raises(Problem, match=named):
        read_meta(write_meta(META).replace(old, new, 1))
