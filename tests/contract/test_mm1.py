"""Mm1, packages: what the OSS can do with a package in each of its states (ETSI GS MEC 010-2 V3.1.1, 7.3)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.contract.mm1_system import System
from tests.contract.mp1_host import refused

pytestmark = pytest.mark.asyncio(loop_scope="module")

PACKAGES = "/app_pkgm/v1/app_packages"
ONBOARDED = "/app_pkgm/v1/onboarded_app_packages"
UNKNOWN = f"{PACKAGES}/unknown"
OFF, ON = {"operationalState": "DISABLED"}, {"operationalState": "ENABLED"}


def states(info: dict[str, Any]) -> tuple[str, str, str]:
    return info["onboardingState"], info["operationalState"], info["usageState"]


class TestAnnounced:
    async def test_a_package_begins_without_what_only_its_descriptor_knows(self, system: System) -> None:
        made = await system.announced(userDefinedData={"team": "one"})
        here = made.headers["location"]
        assert made.status == 201
        assert here == f"{system.base}{PACKAGES}/{made.body['id']}" == made.body["_links"]["self"]["href"]
        assert states(made.body) == ("CREATED", "DISABLED", "NOT_IN_USE")
        assert made.body["userDefinedData"] == {"team": "one"}
        assert not {"appDId", "appName", "softwareImages", "mecInfo"} & set(made.body)
        assert (await system.call("GET", here)).body == made.body
        assert made.body in (await system.call("GET", PACKAGES + "?all_fields")).body
        assert made.body not in (await system.call("GET", ONBOARDED + "?all_fields")).body
        assert (await system.call("DELETE", here)).status == 204
        refused(await system.call("GET", here), 404)

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            ({"appPkgName": ""}, "appPkgName"),
            ({"appPkgName": 1}, "appPkgName"),
            ({"appPkgPath": None}, "appPkgPath"),
            ({"checksum": {"algorithm": "MD5", "hash": "0" * 32}}, "SHA-256"),
            ({"checksum": {"algorithm": "SHA-256", "hash": "0" * 63}}, "checksum.hash"),
            ({"checksum": {"algorithm": "SHA-512", "hash": "g" * 128}}, "checksum.hash"),
            ({"checksum": {"algorithm": "SHA-256"}}, "hash"),
        ],
    )
    async def test_an_announcement_that_cannot_be_kept_is_refused(
        self, system: System, change: dict[str, Any], word: str
    ) -> None:
        before = (await system.call("GET", PACKAGES)).body
        refused(await system.announced(**change), 400, word)
        assert (await system.call("GET", PACKAGES)).body == before

    async def test_nothing_can_be_had_of_a_package_that_is_not_on_boarded(self, system: System) -> None:
        here = (await system.announced()).headers["location"]
        refused(await system.call("GET", f"{here}/package_content"), 403, "CREATED")
        refused(await system.call("GET", f"{here}/appd"), 403, "CREATED")
        for change in (ON, OFF):
            refused(await system.call("PATCH", here, change), 409, "CREATED")
        await system.call("DELETE", here)


class TestContent:
    async def test_content_that_is_not_a_zip_by_its_own_word_is_not_taken(self, system: System) -> None:
        here = (await system.announced()).headers["location"]
        reply = await system.call("PUT", f"{here}/package_content", b"{}", content_type="application/json")
        refused(reply, 415, "application/zip")
        assert states((await system.call("GET", here)).body)[0] == "CREATED"
        await system.call("DELETE", here)

    async def test_a_failure_leads_back_and_the_next_upload_may_succeed(self, system: System) -> None:
        here = (await system.announced()).headers["location"]
        assert (await system.upload(here, b"not the archive")).status == 202
        failed = await system.checked(here)
        assert states(failed) == ("CREATED", "DISABLED", "NOT_IN_USE")
        assert "checksum" in failed["onboardingFailureDetails"]["title"]
        accepted = await system.upload(here)
        assert (accepted.status, accepted.body, accepted.headers["location"]) == (202, b"", here)
        info = await system.checked(here)
        assert states(info) == ("ONBOARDED", "ENABLED", "NOT_IN_USE")
        assert "onboardingFailureDetails" not in info
        await system.removed(here)

    async def test_a_package_that_is_on_boarded_gives_back_what_came(self, system: System) -> None:
        here, descriptor = await system.on_boarded()
        info = (await system.call("GET", here)).body
        assert info["softwareImages"]
        assert all(part.count(".") == 2 for part in info["mecInfo"])
        assert {"appDId", "appName", "appProvider", "appSoftwareVersion", "appDVersion"} <= set(info)
        content = await system.call("GET", info["_links"]["appPkgContent"]["href"])
        assert (content.status, content.headers["content-type"]) == (200, "application/zip")
        assert content.body == system.archive
        assert (await system.call("GET", f"{ONBOARDED}/{descriptor}")).body == info
        assert info in (await system.call("GET", ONBOARDED + "?all_fields")).body
        refused(await system.upload(here), 409, "ONBOARDED")
        await system.removed(here)
        refused(await system.call("GET", f"{ONBOARDED}/{descriptor}"), 404)

    async def test_one_descriptor_is_on_boarded_once(self, system: System) -> None:
        here, descriptor = await system.on_boarded()
        second = (await system.announced()).headers["location"]
        await system.upload(second)
        failed = await system.checked(second)
        assert failed["onboardingState"] == "CREATED"
        assert descriptor in failed["onboardingFailureDetails"]["title"]
        await system.call("DELETE", second)
        assert (await system.call("GET", f"{ONBOARDED}/{descriptor}")).body["id"] == here.rpartition("/")[2]
        await system.removed(here)


class TestOnboarded:
    @pytest.mark.parametrize("media", ["application/json", "application/merge-patch+json"])
    async def test_a_package_is_switched_and_a_repeat_is_a_conflict(self, system: System, media: str) -> None:
        here, descriptor = await system.on_boarded()
        refused(await system.call("PATCH", here, ON, content_type=media), 409, "ENABLED")
        off = await system.call("PATCH", here, OFF, content_type=media)
        assert (off.status, off.body) == (200, OFF)
        assert states((await system.call("GET", here)).body) == ("ONBOARDED", "DISABLED", "NOT_IN_USE")
        refused(await system.call("PATCH", here, OFF, content_type=media), 409, "DISABLED")
        wanted = {"appDId": descriptor}
        refused(await system.call("POST", "/app_lcm/v1/app_instances", wanted), 403, "DISABLED")
        assert (await system.call("PATCH", here, ON)).body == ON
        refused(await system.call("PATCH", here, {"operationalState": "ASLEEP"}), 400, "ENABLED", "DISABLED")
        refused(await system.call("PATCH", here, {}), 400, "operationalState")
        refused(await system.call("PATCH", here, ON, content_type="text/plain"), 415)
        refused(await system.call("DELETE", here), 403, "disable")
        await system.removed(here)

    async def test_a_package_in_use_is_kept(self, system: System) -> None:
        here, descriptor = await system.on_boarded()
        made = await system.call("POST", "/app_lcm/v1/app_instances", {"appDId": descriptor})
        assert states((await system.call("GET", here)).body)[2] == "IN_USE"
        await system.call("PATCH", here, OFF)
        refused(await system.call("DELETE", here), 403, "IN_USE")
        assert (await system.call("DELETE", made.headers["location"])).status == 204
        assert states((await system.call("GET", here)).body) == ("ONBOARDED", "DISABLED", "NOT_IN_USE")
        assert (await system.call("DELETE", here)).status == 204

    async def test_another_tenants_package_is_not_there(self, system: System) -> None:
        here, descriptor = await system.on_boarded()
        for method, path, body in (
            ("GET", here, None),
            ("PATCH", here, OFF),
            ("DELETE", here, None),
            ("GET", f"{here}/package_content", None),
            ("GET", f"{here}/appd", None),
            ("GET", f"{ONBOARDED}/{descriptor}", None),
            ("POST", "/app_lcm/v1/app_instances", {"appDId": descriptor}),
        ):
            refused(await system.call(method, path, body, tenant="rival"), 404)
        for path in (PACKAGES, ONBOARDED):
            assert (await system.call("GET", path, tenant="rival")).body == []
        assert len((await system.call("GET", ONBOARDED, tenant="*")).body) == 1
        await system.removed(here)


async def test_what_is_unknown_is_not_there_and_other_methods_are_refused(system: System) -> None:
    for method, path, body in (
        ("GET", UNKNOWN, None),
        ("PATCH", UNKNOWN, ON),
        ("DELETE", UNKNOWN, None),
        ("GET", f"{UNKNOWN}/package_content", None),
        ("GET", f"{UNKNOWN}/appd", None),
        ("GET", f"{ONBOARDED}/unknown", None),
    ):
        refused(await system.call(method, path, body), 404, "unknown")
    refused(await system.upload(UNKNOWN), 404)
    for method, path, allowed in (
        ("PUT", UNKNOWN, "DELETE, GET, HEAD, PATCH"),
        ("DELETE", PACKAGES, "GET, HEAD, POST"),
        ("POST", f"{UNKNOWN}/appd", "GET, HEAD, PUT"),
    ):
        reply = await system.call(method, path)
        refused(reply, 405)
        assert reply.headers["allow"] == allowed
    refused(await system.call("GET", f"{PACKAGES}?filter1=(eq,appName,speech)"), 400, "filter1")


async def test_a_package_lives_by_the_id_of_its_descriptor_as_by_its_own(system: System) -> None:
    digest = hashlib.sha256(system.archive).hexdigest()
    wanted = {
        "appPkgName": "speech",
        "appPkgVersion": "1.0",
        "checksum": {"algorithm": "SHA-256", "hash": digest},
        "appPkgPath": "speech.csar",
    }
    made = await system.call("POST", ONBOARDED, wanted)
    here = made.headers["location"]
    assert (made.status, here) == (201, f"{system.base}{PACKAGES}/{made.body['id']}"), "it is not on-boarded yet"
    await system.upload(here)
    info = await system.checked(here)
    place = f"{ONBOARDED}/{info['appDId']}"
    refused(await system.upload(place), 409, "ONBOARDED")
    assert (await system.call("PATCH", place, OFF)).body == OFF
    assert states((await system.call("GET", here)).body)[1] == "DISABLED"
    refused(await system.call("PATCH", place, OFF), 409, "DISABLED")
    assert (await system.call("PATCH", place, ON)).body == ON
    refused(await system.call("DELETE", place), 403, "ENABLED")
    await system.call("PATCH", place, OFF)
    refused(await system.call("DELETE", place, tenant="rival"), 404)
    assert (await system.call("DELETE", place)).status == 204
    for gone in (here, place):
        refused(await system.call("GET", gone), 404)
    refused(await system.call("POST", ONBOARDED, {}), 400, "appPkgName")


async def test_of_what_is_not_on_boarded_nothing_is_there_by_a_descriptors_id(system: System) -> None:
    unknown = f"{ONBOARDED}/unknown"
    for method, path, body in (
        ("PATCH", unknown, OFF),
        ("DELETE", unknown, None),
        ("GET", f"{unknown}/package_content", None),
        ("GET", f"{unknown}/appd", None),
        ("PUT", f"{unknown}/appd", None),
        ("PUT", f"{PACKAGES}/unknown/appd", None),
    ):
        refused(await system.call(method, path, body), 404, "unknown")
    refused(await system.upload(unknown), 404, "unknown")
