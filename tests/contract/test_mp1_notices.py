"""Mp1, availability: who subscribed is told of every change that concerns it, in order (MEC 011 V3.1.1, 8.1.4)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.bounds import SOON
from tests.contract.mp1_host import App, Host, Receiver, Reply, receiving, refused
from tests.contract.test_mp1_services import fresh, register, service

pytestmark = pytest.mark.asyncio(loop_scope="module")

KIND = "SerAvailabilityNotificationSubscription"
CATEGORY = {"href": "https://example.com/c", "id": "c", "name": "C", "version": "1"}


async def subscribe(app: App, url: str, **criteria: Any) -> Reply:
    wanted: dict[str, Any] = {"subscriptionType": KIND, "callbackReference": url}
    if criteria:
        wanted["filteringCriteria"] = criteria
    return await app.services("POST", "/subscriptions", wanted)


def changes(told: list[Any]) -> list[tuple[str, str]]:
    return [(one["changeType"], one["state"]) for notice in told for one in notice["serviceReferences"]]


async def test_every_change_is_told_as_what_it_is(host: Host, receiver: Receiver) -> None:
    name = fresh()
    producer, consumer = await host.app(name), await host.app()
    subscription = await subscribe(consumer, receiver.url, serNames=[name])
    made = await register(producer, name)
    here = made.headers["location"]
    await producer.call("PUT", here, service(name))
    await producer.call("PUT", here, service(name, state="INACTIVE"))
    await producer.call("PUT", here, service(name, state="ACTIVE", version="2.0"))
    await producer.call("DELETE", here)
    told = await receiver.wait(4)
    assert changes(told) == [
        ("ADDED", "ACTIVE"),
        ("STATE_CHANGED", "INACTIVE"),
        ("ATTRIBUTES_CHANGED", "ACTIVE"),
        ("REMOVED", "ACTIVE"),
    ]
    for notice in told:
        (one,) = notice["serviceReferences"]
        assert notice["notificationType"] == "SerAvailabilityNotification"
        assert notice["_links"]["subscription"]["href"] == subscription.headers["location"]
        assert (one["serName"], one["serInstanceId"]) == (name, made.body["serInstanceId"])
        assert ("link" in one) is (one["changeType"] != "REMOVED")
    assert told[0]["serviceReferences"][0]["link"] == made.body["_links"]["self"]


async def test_an_empty_list_of_criteria_leaves_nothing_out(host: Host, receiver: Receiver) -> None:
    name = fresh()
    producer, consumer = await host.app(name), await host.app()
    empty: dict[str, Any] = {"serInstanceIds": [], "serCategories": [], "states": []}
    subscription = await subscribe(consumer, receiver.url, serNames=[name], **empty)
    assert subscription.body["filteringCriteria"] == {"serNames": [name]}
    await register(producer, name)
    assert changes(await receiver.wait(1)) == [("ADDED", "ACTIVE")]


async def test_a_producer_that_watches_its_own_service_is_told_of_its_end_too(host: Host, receiver: Receiver) -> None:
    name = fresh()
    app = await host.app(name)
    await subscribe(app, receiver.url, serNames=[name])
    made = await register(app, name)
    await app.call("DELETE", made.headers["location"])
    assert changes(await receiver.wait(2)) == [("ADDED", "ACTIVE"), ("REMOVED", "ACTIVE")]


async def test_an_app_that_is_ended_is_told_nothing_of_its_own_end_and_others_are(host: Host) -> None:
    name = fresh()
    producer, consumer = await host.app(name), await host.app()
    async with receiving() as its, receiving() as others:
        await subscribe(producer, its.url, serNames=[name])
        await subscribe(consumer, others.url, serNames=[name])
        await register(producer, name)
        await its.wait(1)
        await host.mm5.deactivate(producer.id)
        assert changes(await others.wait(2))[-1][0] == "REMOVED"
        assert changes(its.got) == [("ADDED", "ACTIVE")]


async def test_only_what_was_asked_for_is_told(host: Host) -> None:
    name, other = fresh(), fresh()
    producer, consumer = await host.app(name, other), await host.app()
    first = await register(producer, name, serCategory=CATEGORY | {"id": name})
    async with receiving() as by_id, receiving() as by_category, receiving() as by_state, receiving() as everything:
        await subscribe(consumer, by_id.url, serInstanceIds=[first.body["serInstanceId"]])
        await subscribe(consumer, by_category.url, serCategories=[CATEGORY | {"id": name}])
        await subscribe(consumer, by_state.url, serNames=[name, other], states=["INACTIVE"])
        await subscribe(consumer, everything.url)
        second = await register(producer, other)
        await producer.call("PUT", second.headers["location"], service(other, state="INACTIVE"))
        await producer.call("DELETE", first.headers["location"])
        assert changes(await everything.wait(3)) == [
            ("ADDED", "ACTIVE"),
            ("STATE_CHANGED", "INACTIVE"),
            ("REMOVED", "ACTIVE"),
        ]
        assert changes(await by_id.wait(1)) == changes(await by_category.wait(1)) == [("REMOVED", "ACTIVE")]
        assert changes(await by_state.wait(1)) == [("STATE_CHANGED", "INACTIVE")]


async def test_when_an_app_ends_consumers_are_told_that_its_services_are_gone(host: Host, receiver: Receiver) -> None:
    name = fresh()
    producer, consumer = await host.app(name), await host.app()
    async with receiving() as own:
        await subscribe(producer, own.url, serNames=[name])
        await subscribe(consumer, receiver.url, serNames=[name])
        await register(producer, name)
        await own.wait(1)
        await host.mm5.forget(producer.id)
        assert changes(await receiver.wait(2)) == [("ADDED", "ACTIVE"), ("REMOVED", "ACTIVE")]
        assert changes(own.got) == [("ADDED", "ACTIVE")], "who leaves is not told of it"
    assert (await consumer.call("GET", f"/mec_service_mgmt/v1/services?ser_name={name}")).body == []


async def test_a_receiver_that_fails_for_a_while_misses_nothing(host: Host, receiver: Receiver) -> None:
    name = fresh()
    producer, consumer = await host.app(name), await host.app()
    receiver.answers = [500, 404, 503]
    await subscribe(consumer, receiver.url, serNames=[name])
    made = await register(producer, name)
    await producer.call("DELETE", made.headers["location"])
    told = changes(await receiver.wait(5))
    assert told == [("ADDED", "ACTIVE")] * 4 + [("REMOVED", "ACTIVE")]


async def test_a_receiver_that_refuses_for_good_is_not_asked_again(host: Host, receiver: Receiver) -> None:
    name = fresh()
    producer, consumer = await host.app(name), await host.app()
    receiver.answers = [410]
    await subscribe(consumer, receiver.url, serNames=[name])
    made = await register(producer, name)
    await producer.call("DELETE", made.headers["location"])
    assert changes(await receiver.wait(2)) == [("ADDED", "ACTIVE"), ("REMOVED", "ACTIVE")]


async def test_a_dead_receiver_delays_neither_the_producer_nor_others(host: Host, receiver: Receiver) -> None:
    name = fresh()
    producer, consumer = await host.app(name), await host.app()
    await subscribe(consumer, "http://127.0.0.1:9/callback", serNames=[name])
    await subscribe(consumer, receiver.url, serNames=[name])
    async with asyncio.timeout(SOON):
        assert (await register(producer, name)).status == 201
        assert changes(await receiver.wait(1)) == [("ADDED", "ACTIVE")]


async def test_two_subscriptions_with_one_callback_are_told_each(host: Host, receiver: Receiver) -> None:
    name = fresh()
    producer, consumer = await host.app(name), await host.app()
    made = [(await subscribe(consumer, receiver.url, serNames=[name])).headers["location"] for _ in range(2)]
    await register(producer, name)
    told = await receiver.wait(2)
    assert sorted(notice["_links"]["subscription"]["href"] for notice in told) == sorted(made)


async def test_a_subscription_is_made_read_listed_and_ended(host: Host, receiver: Receiver) -> None:
    name = fresh()
    producer, consumer = await host.app(name), await host.app()
    made = await subscribe(consumer, receiver.url, serNames=[name], states=["ACTIVE"])
    here = made.headers["location"]
    assert (made.status, made.body["_links"]["self"]["href"]) == (201, here)
    assert made.body["filteringCriteria"] == {"serNames": [name], "states": ["ACTIVE"]}
    assert (await consumer.call("GET", here)).body == made.body
    listed = (await consumer.services("GET", "/subscriptions")).body["_links"]
    assert listed["subscriptions"] == [{"href": here, "subscriptionType": KIND}]
    assert (await producer.services("GET", "/subscriptions")).body["_links"].get("subscriptions", []) == []
    refused(await consumer.call("PUT", here, made.body), 405)
    refused(await consumer.call("PATCH", here, made.body), 405)
    assert (await consumer.call("DELETE", here)).status == 204
    refused(await consumer.call("GET", here), 404)
    refused(await consumer.call("DELETE", here), 404)
    await register(producer, name)
    await asyncio.sleep(0.3)
    assert receiver.got == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"subscriptionType": "AppTerminationNotificationSubscription"}, ("subscriptionType", KIND)),
        ({"subscriptionType": None}, ("subscriptionType",)),
        ({"callbackReference": "https://"}, ("callbackReference",)),
        ({"callbackReference": "file:///etc/passwd"}, ("callbackReference",)),
        ({"filteringCriteria": {"serNames": ["a"], "serInstanceIds": ["b"]}}, ("filteringCriteria", "serNames")),
        ({"filteringCriteria": {"serNames": ["a"], "serCategories": [CATEGORY]}}, ("filteringCriteria",)),
        ({"filteringCriteria": {"states": ["ASLEEP"]}}, ("states", "SUSPENDED")),
        ({"filteringCriteria": {"isLocal": "yes"}}, ("isLocal",)),
    ],
)
async def test_a_subscription_that_cannot_work_is_refused(
    host: Host, change: dict[str, Any], words: tuple[str, ...]
) -> None:
    app = await host.app()
    wanted = {"subscriptionType": KIND, "callbackReference": "http://127.0.0.1:9/"} | change
    refused(await app.services("POST", "/subscriptions", wanted), 400, *words)
    assert (await app.services("GET", "/subscriptions")).body["_links"].get("subscriptions", []) == []
