"""An app names the operator's own elements as its service, and gets nowhere; what is its own it may move about."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.mp1_host import App, Host, refused
from tests.contract.test_mp1_services import TRANSPORT, register

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWN = "http://127.0.0.9:8080/"
SHARED = {"scopeOfLocality": "MEC_SYSTEM", "consumedLocalOnly": False}


def at(*uris: str) -> dict[str, Any]:
    return SHARED | {"transportInfo": TRANSPORT | {"endpoint": {"uris": list(uris)}}}


async def shared(host: Host) -> tuple[App, dict[str, Any]]:
    """An app with a service that other hosts may consume."""
    app = await host.app("speech")
    made = await register(app, "speech", **at(OWN))
    assert made.status == 201, made
    return app, made.body


async def test_no_element_of_the_operator_becomes_a_service(host: Host) -> None:
    app = await host.app("speech")
    for element in host.built.wiring.elements.values():
        for uris in (
            (f"http://{element.address}:{element.port}/",),
            (OWN, f"https://{element.address}:{element.port}"),
        ):
            refused(await register(app, "speech", **at(*uris)), 403, "transportInfo.endpoint.uris", "127.0.0.9")
    endpoint = {"addresses": [{"host": host.built.wiring.elements["meo"].address, "port": 22}]}
    wanted = SHARED | {"transportInfo": TRANSPORT | {"endpoint": endpoint}}
    refused(await register(app, "speech", **wanted), 403, "transportInfo.endpoint.addresses")
    refused(await register(app, "speech", **at("http://a:b@127.0.0.9/")), 400, "transportInfo.endpoint.uris")
    assert (await app.services("GET", "/services")).body == []


async def test_a_service_does_not_become_one_by_being_replaced(host: Host) -> None:
    app, made = await shared(host)
    inside = f"http://{host.built.wiring.elements['meo'].address}:22/"
    path = f"/services/{made['serInstanceId']}"
    refused(await app.services("PUT", path, made | at(inside)), 403, "transportInfo.endpoint.uris")
    local = at(inside) | {"scopeOfLocality": "MEC_HOST", "consumedLocalOnly": True}
    assert (await app.services("PUT", path, made | local)).status == 200  # nothing is carried to it
    refused(await app.services("PUT", path, made | at(inside)), 403, "transportInfo.endpoint.uris")


async def test_a_service_that_is_read_and_put_back_is_taken(host: Host) -> None:
    app, made = await shared(host)
    path = f"/services/{made['serInstanceId']}"
    assert (await app.services("PUT", path, made | {"version": "2.0"})).status == 200
    assert (await app.services("PUT", path, made | at("http://127.0.0.9:9090/new"))).status == 200
    chosen = await host.app("speech")
    wanted = {name: value for name, value in made.items() if name not in ("transportInfo", "serInstanceId", "_links")}
    here = await chosen.services("POST", "/services", wanted | {"transportId": "rest-http"})
    assert here.status == 201, here
    assert (await chosen.services("PUT", f"/services/{here.body['serInstanceId']}", here.body)).status == 200
