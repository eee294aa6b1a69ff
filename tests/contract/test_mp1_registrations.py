"""Registration, time and UE identity as an app meets them on the wire (MEC 011, 7.2.5 to 7.2.14; MEC 014, 7.3)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.contract.mp1_host import App, Host, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")

BASES = ("/mec_app_support/v2", "/mec_app_support/v1")


def info(app: App) -> dict[str, Any]:
    """A registration that its descriptor bears out."""
    return {"appName": "app", "isInsByMec": True, "appDId": "descriptor", "appInstanceId": app.id}


@pytest.mark.parametrize("base", BASES)
async def test_a_registration_lives_from_post_to_delete(host: Host, base: str) -> None:
    app = await host.app()
    made = await app.call("POST", f"{base}/registrations", info(app))
    assert (made.status, made.body) == (201, info(app))
    assert (await app.call("GET", made.headers["location"])).body == info(app)
    own = f"{base}/registrations/{app.id}"
    replaced = await app.call("PUT", own, info(app) | {"appProvider": "provider"})
    assert (replaced.status, replaced.body) == (204, None)
    assert (await app.call("GET", own)).body["appProvider"] == "provider"
    assert (await app.call("DELETE", own)).status == 204
    refused(await app.call("GET", own), 404, "registration")
    refused(await app.call("DELETE", own), 404, "registration")


async def test_a_registration_in_the_wrapping_of_the_official_file_is_taken(host: Host) -> None:
    app = await host.app()
    made = await app.call("POST", "/mec_app_support/v1/registrations", {"AppInfo": info(app)})
    assert (made.status, made.body) == (201, info(app))


async def test_registrations_are_refused_as_the_tables_say(host: Host) -> None:
    app, other = await host.app(), await host.app()
    here = f"{BASES[0]}/registrations"
    refused(await app.call("POST", here, {"isInsByMec": True}), 400, "appName")
    refused(await app.call("POST", here, info(app) | {"appName": "other"}), 400, "appName", "descriptor")
    refused(await app.call("POST", here, info(app) | {"appInstanceId": "nobody"}), 404, "nobody")
    refused(await app.call("POST", here, info(other)), 403, "appInstanceId")
    assert (await app.call("POST", here, info(app))).status == 201
    refused(await app.call("POST", here, info(app)), 403, "registered already")
    for method in ("GET", "PUT", "DELETE"):
        body = info(app) if method == "PUT" else None
        refused(await other.call(method, f"{here}/{app.id}", body), 403, "app_instance_id")
    refused(await app.call("GET", here), 405)
    refused(await app.call("PATCH", f"{here}/{app.id}", {}), 405)
    refused(await App(app.id, app.base, app.session, "none").call("POST", here, info(app)), 401)


@pytest.mark.parametrize("base", BASES)
async def test_every_app_learns_the_time_and_what_the_clock_follows(host: Host, base: str) -> None:
    app = await host.app()
    before = time.time()
    now = (await app.call("GET", f"{base}/timing/current_time")).body
    assert before - 5 < now["seconds"] < time.time() + 5
    assert 0 <= now["nanoSeconds"] < 1_000_000_000
    assert now["timeSourceStatus"] in ("TRACEABLE", "NONTRACEABLE")
    caps = await app.call("GET", f"{base}/timing/timing_caps")
    assert caps.status == 200
    assert set(caps.body) == {"timeStamp", "ntpServers", "ptpMasters"}
    refused(await app.call("GET", f"{base}/timing/current_time?when=now"), 400, "when")
    refused(await app.call("POST", f"{base}/timing/current_time", {}), 405)


async def test_tags_are_refused_as_the_table_says(host: Host) -> None:
    app, other = await host.app(), await host.app()
    here = f"/ui/v1/{app.id}/ue_identity_tag_info"
    refused(await app.call("GET", here), 400, "ueIdentityTag")
    refused(await app.call("GET", f"{here}?ueIdentityTag=nobody"), 404, "nobody")
    refused(await app.call("GET", f"{here}?ueidentitytag=nobody"), 404, "nobody")
    wanted = {"ueIdentityTags": [{"ueIdentityTag": "nobody", "state": 1}]}
    refused(await app.call("PUT", here, wanted), 400, "nobody")
    for state in ("1", 2, None):
        entry = {"ueIdentityTag": "nobody", "state": state}
        refused(await app.call("PUT", here, {"ueIdentityTags": [entry]}), 400, "state")
    refused(await other.call("PUT", here, wanted), 403, "app_instance_id")
    refused(await other.call("GET", f"{here}?ueIdentityTag=nobody"), 403, "app_instance_id")
    for method in ("POST", "PATCH", "DELETE"):
        refused(await app.call(method, here, wanted), 405)
