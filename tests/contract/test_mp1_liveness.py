"""Mp1, liveness and transports: how a producer shows that it is alive and is reached (MEC 011, 8.2.10 and 8.2.5)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace

from hanse.elements.mep import Platform
from tests.bounds import SOON
from tests.contract.mp1_host import App, Host, Receiver, Reply, refused
from tests.contract.test_mp1_notices import changes, subscribe
from tests.contract.test_mp1_services import found, fresh, register, service

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALIVE = {"state": "ACTIVE"}
MERGE_PATCH = "application/merge-patch+json"


async def made(host: Host, **more: Any) -> tuple[App, str, Reply]:
    name = fresh()
    app = await host.app(name)
    reply = await register(app, name, **{"livenessInterval": 1} | more)
    assert reply.status == 201, reply
    return app, name, reply


def liveness_of(reply: Reply) -> str:
    return str(reply.body["_links"]["liveness"]["href"])


async def test_a_service_is_told_its_interval_and_where_to_send_heartbeats(host: Host) -> None:
    app, _, reply = await made(host, livenessInterval=0)
    assert reply.body["livenessInterval"] == 30
    known = await app.call("GET", liveness_of(reply))
    assert (known.status, known.body["state"], known.body["interval"]) == (200, "ACTIVE", 30)
    assert known.body["timeStamp"].keys() == {"seconds", "nanoSeconds"}
    for media in (MERGE_PATCH, "application/json"):
        beat = await app.call("PATCH", liveness_of(reply), ALIVE, content_type=media)
        assert (beat.status, beat.body) == (204, None)
    assert (await app.call("GET", liveness_of(reply))).body["timeStamp"] != known.body["timeStamp"]


async def test_a_service_that_falls_silent_is_hidden_until_it_is_heard_again(
    host: Host, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = host.built.part("mep.harbour")
    assert isinstance(platform, Platform)
    policy = platform.liveness.policy
    monkeypatch.setattr(platform.liveness, "policy", replace(policy, misses=10**6))  # none is silent before its time
    consumer = await host.app()
    app, name, reply = await made(host)
    await subscribe(consumer, receiver.url, serNames=[name])
    here = reply.body["_links"]["self"]["href"]
    assert await found(consumer, f"?ser_name={name}") == [name]
    with monkeypatch.context() as impatient:
        impatient.setattr(platform.liveness, "policy", policy)
        assert (await app.call("PATCH", liveness_of(reply), ALIVE)).status == 204  # for the last time
    async with asyncio.timeout(SOON):
        assert changes(await receiver.wait(1)) == [("STATE_CHANGED", "SUSPENDED")]
    assert await found(consumer, f"?ser_name={name}") == []
    assert await found(consumer, f"?ser_instance_id={reply.body['serInstanceId']}") == []
    suspended = await consumer.call("GET", here, if_none_match=reply.headers["etag"])
    assert (suspended.status, suspended.body["state"]) == (200, "SUSPENDED")
    assert [one["state"] for one in (await app.services("GET", "/services")).body] == ["SUSPENDED"]
    assert (await app.call("PATCH", liveness_of(reply), ALIVE, content_type=MERGE_PATCH)).status == 204
    assert changes(await receiver.wait(2))[1:] == [("STATE_CHANGED", "ACTIVE")]
    assert await found(consumer, f"?ser_name={name}") == [name]
    await app.call("DELETE", reply.headers["location"])
    assert changes(await receiver.wait(3))[2:] == [("REMOVED", "ACTIVE")]
    refused(await app.call("GET", liveness_of(reply)), 404)
    refused(await app.call("PATCH", liveness_of(reply), ALIVE), 404)


async def test_only_active_services_beat_and_only_for_themselves(host: Host) -> None:
    other = await host.app()
    app, name, reply = await made(host, livenessInterval=60)
    refused(await other.call("PATCH", liveness_of(reply), ALIVE), 403)
    refused(await other.call("GET", liveness_of(reply)), 403)
    for body in ({"state": "INACTIVE"}, {"state": "SUSPENDED"}, {"state": None}, {}):
        refused(await app.call("PATCH", liveness_of(reply), body), 400, "state")
    refused(await app.call("PATCH", liveness_of(reply), ALIVE, content_type="text/plain"), 415)
    refused(await app.call("PATCH", liveness_of(reply), ALIVE, if_match='"another"'), 412)
    refused(await app.call("DELETE", liveness_of(reply)), 405, "GET, HEAD, PATCH")
    tag = (await app.call("GET", liveness_of(reply))).headers["etag"]
    assert (await app.call("PATCH", liveness_of(reply), ALIVE, if_match=tag)).status == 204
    await app.call("PUT", reply.headers["location"], service(name, state="INACTIVE", livenessInterval=60))
    refused(await app.call("PATCH", liveness_of(reply), ALIVE), 409, "INACTIVE")


async def test_a_service_that_never_promised_heartbeats_is_not_expected_to_send_any(host: Host) -> None:
    app, _, reply = await made(host, livenessInterval=None)
    assert "liveness" not in reply.body["_links"]
    refused(await app.call("PATCH", reply.headers["location"] + "/liveness", ALIVE), 404)


async def test_a_service_with_the_platforms_transport_is_reached_through_the_platform(host: Host) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.path_qs} {await request.text()}")

    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        name, consumer = fresh(), await host.app()
        producer = await host.app(name, address="127.0.0.1", port=runner.addresses[0][1])
        (listed,) = (await consumer.call("GET", "/mec_service_mgmt/v1/transports")).body
        reply = await register(producer, name, transportInfo=None, transportId=listed["id"])
        assert reply.status == 201
        assert "transportId" not in reply.body
        transport = reply.body["transportInfo"]
        assert (transport["id"], transport["type"], transport["security"]) == (
            listed["id"],
            "REST_HTTP",
            listed["security"],
        )
        (uri,) = transport["endpoint"]["uris"]
        headers = {"authorization": f"Bearer {consumer.token}"}
        async with consumer.session.post(f"{uri}/say?to=all", data=b"moin", headers=headers) as said:
            assert (said.status, await said.text()) == (200, "/say?to=all moin")
        async with consumer.session.get(f"{uri}/say") as nobody:
            assert nobody.status == 401
        again = await producer.call("PUT", reply.headers["location"], reply.body | {"version": "2"})
        assert again.body == reply.body | {"version": "2"}
        async with consumer.session.get(f"{uri}/say", headers=headers) as said:
            assert said.status == 200
    finally:
        await runner.cleanup()
