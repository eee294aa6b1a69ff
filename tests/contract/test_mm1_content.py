"""Mm1, content: what can be had of a package that is on-boarded (ETSI GS MEC 010-2 V3.1.1, 7.3.6 and 7.3.7)."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contract.mm1_system import System
from tests.contract.mp1_host import refused
from tests.contract.test_mm1 import ONBOARDED

pytestmark = pytest.mark.asyncio(loop_scope="module")

FAMILIES = ("app_packages", "onboarded_app_packages")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def places(system: System) -> AsyncIterator[dict[str, str]]:
    """One on-boarded package, as each family of paths has it."""
    here, descriptor = await system.on_boarded()
    yield {"app_packages": here, "onboarded_app_packages": f"{ONBOARDED}/{descriptor}"}
    await system.removed(here)


@pytest.mark.parametrize("family", FAMILIES)
class TestArchive:
    async def test_one_range_of_the_archive_is_exactly_its_bytes(
        self, system: System, places: dict[str, str], family: str
    ) -> None:
        archive, here = system.archive, f"{places[family]}/package_content"
        whole = await system.call("GET", here)
        assert (whole.status, whole.headers["accept-ranges"], whole.body) == (200, "bytes", archive)
        size = len(archive)
        for wanted, first, last in (
            ("bytes=0-0", 0, 0),
            ("bytes=100-299", 100, 299),
            (f"bytes={size - 7}-", size - 7, size - 1),
            ("bytes=-9", size - 9, size - 1),
            (f"bytes=5-{size * 2}", 5, size - 1),
        ):
            part = await system.call("GET", here, range=wanted)
            assert (part.status, part.headers["content-type"]) == (206, "application/zip"), wanted
            assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
            assert part.body == archive[first : last + 1]

    async def test_a_download_that_broke_off_is_finished_with_ranges(
        self, system: System, places: dict[str, str], family: str
    ) -> None:
        here, got = f"{places[family]}/package_content", b""
        while len(got) < len(system.archive):
            got += (await system.call("GET", here, range=f"bytes={len(got)}-{len(got) + 9999}")).body
        assert hashlib.sha256(got).digest() == hashlib.sha256(system.archive).digest()

    async def test_a_range_behind_the_end_is_refused_with_the_size(
        self, system: System, places: dict[str, str], family: str
    ) -> None:
        size = len(system.archive)
        reply = await system.call("GET", f"{places[family]}/package_content", range=f"bytes={size}-")
        refused(reply, 416, f"{size} bytes")
        assert reply.headers["content-range"] == f"bytes */{size}"

    async def test_several_ranges_are_answered_with_everything(
        self, system: System, places: dict[str, str], family: str
    ) -> None:
        reply = await system.call("GET", f"{places[family]}/package_content", range="bytes=0-1,5-6")
        assert (reply.status, reply.body) == (200, system.archive)

    async def test_who_takes_no_zip_is_told_so(self, system: System, places: dict[str, str], family: str) -> None:
        reply = await system.call("GET", f"{places[family]}/package_content", accept="application/json")
        refused(reply, 406, "application/zip")


@pytest.mark.parametrize("family", FAMILIES)
class TestDescriptor:
    @pytest.mark.parametrize("accept", ["*/*", "text/plain", "text/plain, application/zip"])
    async def test_a_single_file_is_text(
        self, system: System, places: dict[str, str], family: str, accept: str
    ) -> None:
        reply = await system.call("GET", f"{places[family]}/appd", accept=accept)
        assert (reply.status, reply.headers["content-type"]) == (200, "text/plain")
        with zipfile.ZipFile(io.BytesIO(system.archive)) as package:
            assert reply.body == package.read("Definitions/speech.yaml")

    @pytest.mark.parametrize("accept", ["application/zip", "text/plain;q=0, application/*"])
    async def test_an_archive_has_the_descriptor_and_tells_where_it_is(
        self, system: System, places: dict[str, str], family: str, accept: str
    ) -> None:
        reply = await system.call("GET", f"{places[family]}/appd", accept=accept)
        assert (reply.status, reply.headers["content-type"]) == (200, "application/zip")
        with zipfile.ZipFile(io.BytesIO(reply.body)) as got, zipfile.ZipFile(io.BytesIO(system.archive)) as package:
            assert set(got.namelist()) == {"TOSCA-Metadata/TOSCA.meta", "Definitions/speech.yaml"}
            assert all(got.read(name) == package.read(name) for name in got.namelist())

    async def test_who_takes_neither_learns_what_there_is(
        self, system: System, places: dict[str, str], family: str
    ) -> None:
        reply = await system.call("GET", f"{places[family]}/appd", accept="application/json")
        refused(reply, 406, "text/plain", "application/zip")

    async def test_a_descriptor_is_not_replaced(self, system: System, places: dict[str, str], family: str) -> None:
        here = f"{places[family]}/appd"
        before = (await system.call("GET", here)).body
        refused(await system.call("PUT", here, b"other", content_type="text/plain"), 403, "descriptor")
        for method in ("POST", "DELETE", "PATCH"):
            reply = await system.call(method, here)
            refused(reply, 405)
            assert reply.headers["allow"] == "GET, HEAD, PUT"
        assert (await system.call("GET", here)).body == before
