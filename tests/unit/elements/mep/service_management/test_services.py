"""Apps announce, find and watch services, each only its own (ETSI GS MEC 011 V3.1.1, 8.2)."""

from __future__ import annotations

import msgspec
import pytest

from hanse.elements.mep.service_management.index import ServiceIndex
from hanse.elements.mep.service_management.services import ServiceRegistry
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mp1.services import (
    AVAILABILITY_SUBSCRIPTION,
    AvailabilitySubscription,
    FilteringCriteria,
    ServiceInfo,
    ServiceQuery,
    ServiceState,
)
from tests.unit.elements.mep.parts import Bench, app, configuration, service

SPEECH = service("speech")


async def registered(bench: Bench, name: str = "one") -> ServiceInfo:
    await bench.platform.configuration.configure(name, configuration(name, "speech", "other"))
    return (await bench.platform.services.register_service(name, SPEECH)).value


async def found(bench: Bench, **query: object) -> list[str]:
    services = await bench.platform.services.find_services(ServiceQuery(**query))  # type: ignore[arg-type]
    return [service.ser_name for service in services]


async def test_an_announced_service_is_found_by_its_name_and_by_its_id(bench: Bench) -> None:
    known = await registered(bench)
    assert known.is_local is True
    assert known.links is not ABSENT
    assert known.links.self.href.endswith(f"/services/{known.ser_instance_id}")
    assert await found(bench, ser_name=("speech",)) == ["speech"]
    assert await found(bench, ser_instance_id=(known.ser_instance_id,)) == ["speech"]
    assert await found(bench, ser_name=("other",)) == []
    own = await bench.platform.services.find_app_services("one", ServiceQuery())
    assert own == [known]


async def test_only_a_declared_service_of_a_known_app_can_be_announced(bench: Bench) -> None:
    await bench.platform.configuration.configure("one", configuration("one", "speech"))
    with pytest.raises(Problem, match="declares speech") as caught:
        await bench.platform.services.register_service("one", service("payments"))
    assert caught.value.status == 403
    with pytest.raises(Problem, match="No such application") as caught:
        await bench.platform.services.register_service("nobody", SPEECH)
    assert caught.value.status == 404
    with pytest.raises(Problem, match="serInstanceId"):
        await bench.platform.services.register_service("one", msgspec.structs.replace(SPEECH, ser_instance_id="mine"))


async def test_another_app_can_neither_change_nor_withdraw_a_service(bench: Bench) -> None:
    identifier = str((await registered(bench)).ser_instance_id)
    await bench.platform.configuration.configure("two", configuration("two", "speech"))
    services = bench.platform.services
    for call in (
        services.read_app_service("two", identifier),
        services.replace_service("two", identifier, SPEECH),
        services.deregister_service("two", identifier),
    ):
        with pytest.raises(Problem) as caught:
            await call
        assert caught.value.status == 404
    assert await found(bench, ser_name=("speech",)) == ["speech"]


async def test_a_renamed_service_is_found_by_its_new_name_only(bench: Bench) -> None:
    identifier = str((await registered(bench)).ser_instance_id)
    renamed = msgspec.structs.replace(SPEECH, ser_name="other")
    await bench.platform.services.replace_service("one", identifier, renamed)
    assert await found(bench, ser_name=("speech",)) == []
    assert await found(bench, ser_name=("other",)) == ["other"]


async def test_a_change_of_what_the_caller_has_not_seen_is_refused(bench: Bench) -> None:
    identifier = str((await registered(bench)).ser_instance_id)
    services = bench.platform.services
    tag = (await services.read_app_service("one", identifier)).tag
    newer = msgspec.structs.replace(SPEECH, version="2")
    with app("one", if_match=f'"{tag}"'):
        changed = await services.replace_service("one", identifier, newer)
    assert changed.tag == (await services.read_service(identifier)).tag != tag
    with app("one", if_match=f'"{tag}"'), pytest.raises(Problem) as caught:
        await services.replace_service("one", identifier, SPEECH)
    assert caught.value.status == 412
    with app("one", if_match=f'"{tag}"'), pytest.raises(Problem) as caught:
        await services.deregister_service("one", identifier)
    assert caught.value.status == 412
    assert (await services.read_service(identifier)).value.version == "2"


async def test_a_withdrawn_service_is_gone_everywhere(bench: Bench) -> None:
    identifier = str((await registered(bench)).ser_instance_id)
    await bench.platform.services.deregister_service("one", identifier)
    assert await found(bench, ser_name=("speech",)) == []
    with pytest.raises(Problem) as caught:
        await bench.platform.services.read_service(identifier)
    assert caught.value.status == 404


async def test_subscribers_learn_of_what_comes_changes_and_goes(bench: Bench) -> None:
    await bench.platform.configuration.configure("two", configuration("two"))
    wish = AvailabilitySubscription(
        subscription_type=AVAILABILITY_SUBSCRIPTION,
        callback_reference="http://two/n",
        filtering_criteria=FilteringCriteria(ser_names=("speech",)),
    )
    made = await bench.platform.services.subscribe_to_availability("two", wish)
    identifier = str((await registered(bench)).ser_instance_id)
    services = bench.platform.services
    await services.register_service("one", service("other"))
    await services.replace_service("one", identifier, SPEECH)
    quiet = msgspec.structs.replace(SPEECH, state=ServiceState.INACTIVE)
    await services.replace_service("one", identifier, quiet)
    await services.deregister_service("one", identifier)
    posts = [told for _, told in await bench.posted()]
    changes = [told["serviceReferences"][0]["changeType"] for told in posts]
    assert changes == ["ADDED", "STATE_CHANGED", "REMOVED"]
    assert {told["_links"]["subscription"]["href"] for told in posts} == {made.location}
    assert ["link" in told["serviceReferences"][0] for told in posts] == [True, True, False]


async def test_an_app_that_unsubscribed_hears_nothing_more(bench: Bench) -> None:
    await bench.platform.configuration.configure("two", configuration("two"))
    wish = AvailabilitySubscription(subscription_type=AVAILABILITY_SUBSCRIPTION, callback_reference="http://two/n")
    made = await bench.platform.services.subscribe_to_availability("two", wish)
    identifier = made.location.rsplit("/", 1)[-1]
    with pytest.raises(Problem) as caught:
        await bench.platform.services.unsubscribe_from_availability("one", identifier)
    assert caught.value.status == 404
    await bench.platform.services.unsubscribe_from_availability("two", identifier)
    await registered(bench)
    assert await bench.posted() == []


@pytest.mark.parametrize(
    ("kind", "url"), [("Other", "http://two/n"), (AVAILABILITY_SUBSCRIPTION, "file:///etc/passwd")]
)
async def test_a_subscription_that_cannot_be_served_is_refused(bench: Bench, kind: str, url: str) -> None:
    await bench.platform.configuration.configure("two", configuration("two"))
    wish = AvailabilitySubscription(subscription_type=kind, callback_reference=url)
    with pytest.raises(Problem) as caught:
        await bench.platform.services.subscribe_to_availability("two", wish)
    assert caught.value.status == 400


async def test_services_are_found_again_after_a_restart(bench: Bench) -> None:
    known = await registered(bench)
    platform, one = bench.platform, bench.platform.services
    again = ServiceRegistry(
        "u",
        bench.store,
        platform.records,
        one._notices,
        one._lookup,
        ServiceIndex(),
        platform.liveness,
        one._subscriptions,
    )
    assert await again.find_services(ServiceQuery(ser_name=("speech",))) == [known]
