"""Only what is exactly the image that was announced gets into a host's store, and nothing else stays on its disk."""

from __future__ import annotations

import asyncio

import pytest

from hanse.elements.vim import Vim, images
from hanse.kit.problems import Problem
from hanse.refpoints.mm6.workloads import Demand
from tests.unit.elements.vim.conftest import Bench, image, stream


async def test_an_image_is_there_for_the_driver_once_it_was_stored(vim: Vim, bench: Bench) -> None:
    identifier, archive = image("say=moin")
    await vim.store_image(identifier, stream(archive))
    assert list(bench.machine.images) == [identifier]
    assert bench.files() == []


async def test_an_image_that_is_not_what_its_id_says_leaves_nothing(vim: Vim, bench: Bench) -> None:
    identifier, _ = image("say=moin")
    _, other = image("say=evil")
    with pytest.raises(Problem, match="Image digest differs") as caught:
        await vim.store_image(identifier, stream(other))
    assert caught.value.status == 400
    assert identifier in caught.value.detail
    assert bench.machine.images == {}
    assert bench.files() == []


async def test_an_upload_that_breaks_off_leaves_nothing(vim: Vim, bench: Bench) -> None:
    identifier, archive = image("say=moin")
    with pytest.raises(Problem) as caught:
        await vim.store_image(identifier, stream(archive, breaks=True))
    assert caught.value.status == 507
    assert bench.machine.images == {}
    assert bench.files() == []


async def test_an_image_without_end_does_not_fill_the_disk(
    vim: Vim, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "IMAGE_LIMIT", 1000)
    with pytest.raises(Problem, match="at most 1000 bytes") as caught:
        await vim.store_image("x", stream(b"x" * 1001))
    assert caught.value.status == 413
    assert bench.files() == []


@pytest.mark.parametrize(
    ("files", "title"),
    [
        ({"other__json": "{}"}, "process.json missing"),
        ({"process__json": '{"command": "app"}'}, "process.json is wrong"),
        ({"process__json": "not json"}, "process.json is wrong"),
    ],
)
async def test_an_image_that_does_not_say_how_to_run_it_is_refused_by_name(
    vim: Vim, bench: Bench, files: dict[str, str], title: str
) -> None:
    identifier, archive = image(**files)
    with pytest.raises(Problem, match=title) as caught:
        await vim.store_image(identifier, stream(archive))
    assert caught.value.status == 400
    assert bench.machine.images == {}
    assert bench.files() == []


async def test_something_that_is_no_archive_is_a_problem_and_leaves_nothing(vim: Vim, bench: Bench) -> None:
    from hashlib import sha256

    junk = b"junk" * 500
    with pytest.raises(Problem) as caught:
        await vim.store_image(sha256(junk).hexdigest(), stream(junk))
    assert caught.value.status == 400
    assert bench.files() == []


async def test_an_image_stored_twice_is_one_image(vim: Vim, bench: Bench) -> None:
    identifier, archive = image("say=moin")
    for _ in range(2):
        await vim.store_image(identifier, stream(archive))
    assert list(bench.machine.images) == [identifier]


async def test_an_image_in_use_is_not_thrown_away_and_an_unused_one_is(vim: Vim, bench: Bench) -> None:
    identifier, archive = image("say=moin")
    await vim.store_image(identifier, stream(archive))
    await vim.allocate("one", Demand(app_instance_id="one", image_id=identifier, memory=1, cpu_milli=1))
    await vim.discard_image(identifier)
    assert list(bench.machine.images) == [identifier]
    await vim.release("one")
    await vim.discard_image(identifier)
    await vim.discard_image(identifier)
    assert bench.machine.images == {}


async def test_an_image_that_comes_again_while_it_is_thrown_away_is_whole(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    identifier, archive = image("say=moin")
    driver = bench.driver()
    slow, discard = asyncio.Event(), driver.discard

    async def discard_slowly(image_id: str) -> None:
        slow.set()
        await asyncio.sleep(0.2)
        await discard(image_id)

    monkeypatch.setattr(driver, "discard", discard_slowly)
    monkeypatch.setattr(bench, "driver", lambda: driver)
    vim = bench.vim()
    await vim.store_image(identifier, stream(archive))
    discarding = asyncio.create_task(vim.discard_image(identifier))
    await slow.wait()
    await vim.store_image(identifier, stream(archive))
    await discarding
    await vim.allocate("one", Demand(app_instance_id="one", image_id=identifier, memory=1, cpu_milli=1))
    assert list(bench.machine.images) == [identifier]


async def test_what_a_crash_left_of_an_upload_is_removed_at_start(vim: Vim, bench: Bench) -> None:
    left = bench.directory / "incoming" / "image-x.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x" * 1000)
    await vim.start_up()
    await vim.shut_down()
    assert not left.exists()
