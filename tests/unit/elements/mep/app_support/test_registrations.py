"""An app registers itself, nobody else, and not otherwise than its descriptor says (MEC 011 V3.1.1, 7.1.2.6)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hanse.kit.problems import Problem
from hanse.refpoints.mp1.registrations import AppInfo
from tests.unit.elements.mep.parts import Bench, app, configuration

HERE = {"uris": ["http://127.9.0.100:8080/"]}
FREE: dict[str, Any] = {"appName": "mine", "endpoint": HERE}
DESCRIBED: dict[str, Any] = {"appName": "name", "isInsByMec": True, "appDId": "d", "appInstanceId": "managed"}


@pytest.fixture
async def two(bench: Bench) -> Bench:
    """A platform with an app that has a descriptor, ``managed``, and one that has none, ``free``."""
    known = bench.platform.configuration
    await known.configure("managed", configuration("managed"))
    await known.configure("free", msgspec.structs.replace(configuration("free"), app_d_id=""))
    return bench


def info(body: dict[str, Any], **changes: Any) -> AppInfo:
    return msgspec.convert({k: v for k, v in (body | changes).items() if v is not None}, AppInfo)


async def refusal(bench: Bench, who: str, wanted: AppInfo) -> Problem:
    with app(who), pytest.raises(Problem) as caught:
        await bench.platform.registrations.register_app(wanted)
    return caught.value


async def test_an_app_that_started_itself_gets_the_id_of_its_token(two: Bench) -> None:
    with app("free"):
        made = await two.platform.registrations.register_app(info(FREE))
    assert made.location.endswith("/mec_app_support/v2/registrations/free")
    assert made.value.app_instance_id == "free"
    assert (await two.platform.registrations.read_registration("free")).value == made.value


async def test_an_app_that_was_instantiated_registers_as_its_descriptor_says(two: Bench) -> None:
    with app("managed"):
        made = await two.platform.registrations.register_app(info(DESCRIBED, appProvider="provider"))
    assert made.value == (await two.platform.registrations.read_registration("managed")).value


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        (HERE, HERE),
        ({"fqdn": ["a.example.com"]}, {"fqdn": ["a.example.com"]}),
        ({"addresses": [{"host": "127.9.0.1", "port": 80}]}, {"addresses": [{"host": "127.9.0.1", "port": 80}]}),
        ({"alternative": {"queue": "q"}}, {"alternative": {"queue": "q"}}),
        (HERE, {"uri": "http://127.9.0.100:8080/"}),
        ({"fqdn": ["a.example.com"]}, {"fqdn": "a.example.com"}),
    ],
)
async def test_a_profile_may_repeat_the_endpoint_in_any_of_its_forms(
    two: Bench, endpoint: dict[str, Any], said: dict[str, Any]
) -> None:
    with app("free"):
        made = await two.platform.registrations.register_app(info(FREE, endpoint=endpoint, appProfile={"endPt": said}))
    assert made.value.app_profile == {"endPt": said}


async def test_a_second_registration_is_refused_until_the_first_is_withdrawn(two: Bench) -> None:
    registrations = two.platform.registrations
    with app("free"):
        await registrations.register_app(info(FREE))
    assert (await refusal(two, "free", info(FREE))).status == 403
    await registrations.deregister_app("free")
    with app("free"):
        await registrations.register_app(info(FREE))


async def test_nobody_registers_another_app(two: Bench) -> None:
    assert (await refusal(two, "free", info(DESCRIBED))).status == 403
    assert (await refusal(two, "free", info(FREE, appInstanceId="nobody"))).status == 404
    assert len(two.platform.records.registrations) == 0


@pytest.mark.parametrize(
    ("who", "body", "changes", "named"),
    [
        ("free", FREE, {"endpoint": None}, "endpoint"),
        ("free", FREE, {"endpoint": {}}, "endpoint"),
        ("free", FREE, {"endpoint": HERE | {"fqdn": ["a.example.com"]}}, "endpoint"),
        ("free", FREE, {"isInsByMec": True}, "isInsByMec"),
        ("free", FREE, {"appProvider": "me", "appProfile": {"provId": "you"}}, "appProvider"),
        ("free", FREE, {"appProfile": {"endPt": {"uris": ["http://elsewhere/"]}}}, "endpoint"),
        ("free", FREE, {"appProfile": {"endPt": {"alternative": {"queue": "q"}}}}, "endpoint"),
        ("managed", DESCRIBED, {"isInsByMec": None}, "isInsByMec"),
        ("managed", DESCRIBED, {"appDId": None}, "appDId"),
        ("managed", DESCRIBED, {"appDId": "other"}, "appDId"),
        ("managed", DESCRIBED, {"appInstanceId": None}, "appInstanceId"),
        ("managed", DESCRIBED, {"appName": "other"}, "appName"),
        ("managed", DESCRIBED, {"appProvider": "other"}, "appProvider"),
        ("managed", DESCRIBED, {"appServiceRequired": [{"serName": "s", "version": "1"}]}, "appServiceRequired"),
        ("managed", DESCRIBED, {"appFeatureOptional": []}, "appFeatureOptional"),
    ],
)
async def test_a_registration_that_cannot_be_true_is_refused_by_its_field(
    two: Bench, who: str, body: dict[str, Any], changes: dict[str, Any], named: str
) -> None:
    problem = await refusal(two, who, info(body, **changes))
    assert (problem.status, named in problem.title) == (400, True), problem
    assert len(two.platform.records.registrations) == 0


async def test_a_replacement_is_whole_and_held_to_the_same_rules(two: Bench) -> None:
    registrations = two.platform.registrations
    with app("free"):
        await registrations.register_app(info(FREE, appProvider="me"))
    await registrations.replace_registration("free", info(FREE, appName="renamed"))
    assert (await registrations.read_registration("free")).value == info(FREE, appName="renamed", appInstanceId="free")
    for wrong in ({"appInstanceId": "managed"}, {"endpoint": None}):
        with pytest.raises(Problem) as caught:
            await registrations.replace_registration("free", info(FREE, **wrong))
        assert caught.value.status == 400
    assert (await registrations.read_registration("free")).value.app_name == "renamed"


@pytest.mark.parametrize("call", ["read_registration", "deregister_app"])
async def test_what_was_never_registered_is_not_found(two: Bench, call: str) -> None:
    with pytest.raises(Problem) as caught:
        await getattr(two.platform.registrations, call)("free")
    assert caught.value.status == 404
    with pytest.raises(Problem) as caught:
        await two.platform.registrations.replace_registration("free", info(FREE))
    assert caught.value.status == 404


async def test_an_app_that_was_stopped_registers_anew(two: Bench) -> None:
    with app("free"):
        await two.platform.registrations.register_app(info(FREE))
        await two.platform.configuration.deactivate("free")
        await two.platform.registrations.register_app(info(FREE))
    await two.platform.configuration.forget("free")
    assert len(two.platform.records.registrations) == 0
