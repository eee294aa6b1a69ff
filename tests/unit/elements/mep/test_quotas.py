"""What is within a quota is taken, the first beyond it is not, and the problem says which setting it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from hanse.elements.mep.quotas import MOST_LEVELS, Quotas
from hanse.kit.problems import Problem
from hanse.refpoints.mp1.services import ServiceInfo, ServiceQuery
from tests.unit.elements.mep.parts import Bench, app, configuration, service, transport

LIMITS = Quotas(app_services=2, app_subscriptions=2, app_tags=2, app_record_bytes=1024)


@pytest.mark.parametrize(
    ("check", "most", "setting"),
    [
        (LIMITS.check_services, 1, "app_services"),
        (LIMITS.check_subscriptions, 1, "app_subscriptions"),
        (LIMITS.check_tags, 2, "app_tags"),
    ],
)
def test_the_last_that_fits_is_taken_and_the_next_is_not(check: Callable[[int], None], most: int, setting: str) -> None:
    check(most)
    with pytest.raises(Problem, match="Too many") as caught:
        check(most + 1)
    assert caught.value.status == 403
    assert f"at most 2 (limits.{setting})" in caught.value.detail


def nested(levels: int, opening: str, closing: str) -> Any:
    return msgspec.json.decode(opening * levels + "1" + closing * levels)


def holding(value: Any) -> ServiceInfo:
    return replace(service("speech"), transport_info=replace(transport(), impl_specific_info={"deep": value}))


@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]"), ('[{"]":', "}]")])
def test_what_is_nested_without_need_is_not_kept(opening: str, closing: str) -> None:
    around, each = 3, len(closing)
    fits = (MOST_LEVELS - around) // each
    Quotas().check_record("Service", holding(nested(fits, opening, closing)))
    with pytest.raises(Problem, match="Service nested too deeply") as caught:
        Quotas().check_record("Service", holding(nested(fits + 1, opening, closing)))
    assert caught.value.status == 400
    assert f"at most {MOST_LEVELS} levels" in caught.value.detail


def test_much_that_is_flat_and_brackets_in_words_are_no_depth() -> None:
    Quotas().check_record("Service", holding([{"a": []}] * 500))
    Quotas().check_record("Service", holding({"[" * 200: '\\"{[' * 200}))


async def test_services_of_an_app_that_is_not_known_are_not_an_empty_list(bench: Bench) -> None:
    await bench.platform.configuration.configure("one", configuration("one"))
    with app("nobody"), pytest.raises(Problem) as caught:
        await bench.platform.services.find_app_services("nobody", ServiceQuery())
    assert caught.value.status == 404
    with app("one"):
        assert await bench.platform.services.find_app_services("one", ServiceQuery()) == []


async def test_who_runs_the_platform_may_put_more_into_it(bench: Bench) -> None:
    bench.platform.services._quotas = LIMITS
    await bench.platform.configuration.configure("one", configuration("one", "speech"))
    for number in range(3):
        await bench.platform.services.plant_service("one", service("speech"), f"planted-{number}")
    with pytest.raises(Problem, match="Too many services"):
        await bench.platform.services.register_service("one", service("speech"))
