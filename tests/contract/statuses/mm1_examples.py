"""A call of every operation of Mm1, and of granting, that succeeds, with all that must be there before it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.contract.statuses.mm1_place import Mm1Place, announcement
from tests.contract.test_mm1 import OFF
from tests.contract.test_mm1_lifecycle import FORCED, STOP

Prepared = tuple[dict[str, str], Any]
"""The values of the path, and the body."""
Example = Callable[[Mm1Place], Awaitable[Prepared]]


def of_package(body: Any = None) -> Example:
    """The package that stays."""

    async def make(place: Mm1Place) -> Prepared:
        return {"app_pkg_id": place.package}, body

    return make


def of_descriptor(body: Any = None) -> Example:
    """The package that stays, by its descriptor."""

    async def make(place: Mm1Place) -> Prepared:
        return {"app_d_id": place.descriptor}, body

    return make


def of_instance(body: Any = None) -> Example:
    """An instance of its own, without resources."""

    async def make(place: Mm1Place) -> Prepared:
        return {"app_instance_id": await place.instance()}, body

    return make


async def nothing(_place: Mm1Place) -> Prepared:
    """A call that needs nothing."""
    return {}, None


async def announcing(place: Mm1Place) -> Prepared:
    """A package that is announced."""
    return {}, announcement(place.system.archive)


async def announced(place: Mm1Place) -> Prepared:
    """A package that was announced, and its content."""
    return {"app_pkg_id": await place.announced()}, place.system.archive


async def enabled(place: Mm1Place) -> Prepared:
    """An on-boarded package of its own, to be disabled."""
    return {"app_pkg_id": (await place.on_boarded())[0]}, OFF


async def enabled_by_descriptor(place: Mm1Place) -> Prepared:
    """The same by its descriptor."""
    return {"app_d_id": (await place.on_boarded())[1]}, OFF


async def disabled_by_descriptor(place: Mm1Place) -> Prepared:
    """An on-boarded package that may be deleted."""
    return {"app_d_id": (await place.disabled())[1]}, None


async def making(place: Mm1Place) -> Prepared:
    """An instance that is made."""
    return {}, {"appDId": place.descriptor}


async def ending(place: Mm1Place) -> Prepared:
    """An instance that runs, to be ended."""
    return {"app_instance_id": (await place.started())[0]}, FORCED


async def stopping(place: Mm1Place) -> Prepared:
    """The instance that stays, to be stopped."""
    return {"app_instance_id": place.running}, STOP


async def begun(place: Mm1Place) -> Prepared:
    """The operation that made the instance that stays."""
    return {"app_lcm_op_occ_id": place.operation}, None


async def asking(place: Mm1Place) -> Prepared:
    """A grant that was asked for before: the same is given again."""
    return {}, place.grant_request


async def granted(place: Mm1Place) -> Prepared:
    """A grant."""
    return {"grant_id": place.grant}, None


EXAMPLES: dict[str, Example] = {
    "create_package": announcing,
    "list_packages": nothing,
    "read_package": of_package(),
    "modify_package": enabled,
    "delete_package": announced,
    "upload_content": announced,
    "download_content": of_package(),
    "read_descriptor": of_package(),
    "create_onboarded": announcing,
    "list_onboarded": nothing,
    "read_onboarded": of_descriptor(),
    "modify_onboarded": enabled_by_descriptor,
    "delete_onboarded": disabled_by_descriptor,
    "download_onboarded": of_descriptor(),
    "read_onboarded_descriptor": of_descriptor(),
    "create_instance": making,
    "list_instances": nothing,
    "read_instance": of_instance(),
    "delete_instance": of_instance(),
    "instantiate": of_instance({}),
    "terminate": ending,
    "operate": stopping,
    "list_operations": nothing,
    "read_operation": begun,
    "request_grant": asking,
    "read_grant": granted,
}

STANDING: dict[str, Example] = {
    "modify_package": of_package(OFF),
    "modify_onboarded": of_descriptor(OFF),
    "delete_onboarded": of_descriptor(),
    "replace_descriptor": of_package(),
    "replace_onboarded_descriptor": of_descriptor(),
    "upload_onboarded": of_descriptor(b"content"),
    "terminate": of_instance(FORCED),
    "operate": of_instance(STOP),
}
"""Well-formed calls for what is refused whatever the state, and calls that never succeed."""
