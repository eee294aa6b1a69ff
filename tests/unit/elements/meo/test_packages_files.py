"""What is kept of a package comes out as it went in; a descriptor of several files only as an archive (7.3.6.3.2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from hanse.elements.meo import packages_files
from hanse.elements.meo.packages_files import PackageFiles
from hanse.kit.contract.declare import Stream
from hanse.kit.contract.exchange import whole
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mm1.packages import OnboardingState
from tests.unit.elements.meo.parts import Bench, pieces, tenant
from tests.unit.elements.meo.test_packages import DISABLE, wish


async def test_every_part_of_an_archive_can_be_had(tmp_path: Path) -> None:
    files, content = PackageFiles(tmp_path), bytes(range(256)) * 3000
    await files.receive("p", Stream(pieces(content)))
    stream = await files.content("p")
    assert (stream.length, stream.part is not None) == (len(content), True)
    assert await whole(stream.chunks, 10**7) == content
    for first, last in ((0, 0), (1, 262144), (262143, 262144), (len(content) - 1, len(content) - 1)):
        assert stream.part is not None
        assert await whole(stream.part(first, last), 10**7) == content[first : last + 1]


async def test_what_is_too_large_is_refused_before_it_comes_or_while_it_comes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages_files, "PACKAGE_LIMIT", 5000)
    for told in (5001, None):
        with tenant("acme"):
            announced = (await bench.packages.create_package(wish())).value
            with pytest.raises(Problem, match="at most 5000 bytes") as refusal:
                await bench.packages.upload_content(announced.id, Stream(pieces(b"x" * 5001), length=told))
            assert refusal.value.status == 413
            left = await bench.packages.read_package(announced.id)
        assert left.onboarding_state is OnboardingState.CREATED
        assert (left.onboarding_failure_details is ABSENT) is (told is not None), "no attempt, if it never began"
        assert list(bench.directory.glob("*")) == []


async def test_a_descriptor_of_several_files_is_never_text(bench: Bench, csar: Path, split: Path) -> None:
    with tenant("acme"):
        for archive, kinds in ((csar, ["text/plain", "application/zip"]), (split, ["application/zip"])):
            info = await bench.on_board(archive)
            answer = await bench.packages.read_descriptor(info.id)
            assert [answer.media_type, *(other.media_type for other in answer.others)] == kinds
            await bench.packages.modify_package(info.id, DISABLE)
            await bench.packages.delete_package(info.id)


async def test_what_belongs_to_no_package_is_removed(tmp_path: Path) -> None:
    files = PackageFiles(tmp_path)
    for name in ("known", "stranger"):
        await files.receive(name, Stream(pieces(b"x")))
    await files.remove_strangers(["known"])
    assert [path.name for path in tmp_path.iterdir()] == ["known"]
    await files.remove("known")
    await files.remove("known")
    assert list(tmp_path.iterdir()) == []
