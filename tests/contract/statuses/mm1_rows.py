"""The table of Mm1: packages and lifecycle; and of granting on Mm3 (ETSI GS MEC 010-2 V3.1.1)."""

from __future__ import annotations

from dataclasses import replace

from hanse.kit.contract.declare import Api
from hanse.refpoints.mm1.lifecycle import Lifecycle
from hanse.refpoints.mm1.packages import PackageManagement
from hanse.refpoints.mm3.granting import Granting
from tests.contract.statuses.faults import common_rows
from tests.contract.statuses.mm1_examples import EXAMPLES
from tests.contract.statuses.mm1_place import Mm1Place, announcement
from tests.contract.statuses.row import Make, Row, declared_rows, row, taken
from tests.contract.statuses.wish import Wish
from tests.contract.test_mm1 import ON
from tests.contract.test_mm1_lifecycle import FORCED, START

APIS: tuple[type[Api], ...] = (PackageManagement, Lifecycle, Granting)
DOWNLOADS = ("download_content", "download_onboarded", "read_descriptor", "read_onboarded_descriptor")


def standing(api: type[Api], name: str, body: object = None) -> Make:
    """The well-formed call, with another body if one is given."""

    async def make(place: Mm1Place) -> Wish:
        wish = await place.standing(api, name)
        return wish if body is None else replace(wish, body=body)

    return make


def running(name: str, body: object = None) -> Make:
    """A call for the instance that runs."""

    async def make(place: Mm1Place) -> Wish:
        wish = await place.standing(Lifecycle, name)
        return replace(wish.with_value("app_instance_id", place.running), body=body)

    return make


def ranged(name: str, wanted: str) -> Make:
    """One range of what can be downloaded."""

    async def make(place: Mm1Place) -> Wish:
        return (await place.standing(PackageManagement, name)).with_headers(range=wanted)

    return make


def not_on_boarded(name: str) -> Make:
    """A package that was announced only."""

    async def make(place: Mm1Place) -> Wish:
        wish = await place.standing(PackageManagement, name)
        return wish.with_value("app_pkg_id", await place.announced())

    return make


async def in_use(place: Mm1Place) -> Wish:
    """A package of which an instance runs."""
    return await place.standing(PackageManagement, "delete_onboarded")


async def uploaded_again(place: Mm1Place) -> Wish:
    """Content for a package that has its content."""
    wish = await place.standing(PackageManagement, "upload_content")
    return wish.with_value("app_pkg_id", place.package)


async def of_disabled(place: Mm1Place) -> Wish:
    """An instance of a package that may not be used."""
    _, descriptor = await place.disabled()
    return replace(await place.example(Lifecycle, "create_instance"), body={"appDId": descriptor})


async def no_operation(place: Mm1Place) -> Wish:
    """A grant for an operation that does not go on."""
    wish = await place.standing(Granting, "request_grant")
    return replace(wish, body=wish.body | {"appLcmOpOccId": "other", "operation": "TERMINATE"})


async def unknown_descriptor(place: Mm1Place) -> Wish:
    """An instance of a package that there is not."""
    return replace(await place.example(Lifecycle, "create_instance"), body={"appDId": "unknown"})


async def unfit_checksum(place: Mm1Place) -> Wish:
    """A digest that nobody may rely on."""
    body = announcement(b"") | {"checksum": {"algorithm": "MD5", "hash": "0" * 32}}
    return replace(await place.standing(PackageManagement, "create_package"), body=body)


SPECIAL = (
    row(PackageManagement, "create_package", 400, "a weak checksum", unfit_checksum, "checksum.algorithm", "SHA-256"),
    row(
        PackageManagement,
        "modify_package",
        409,
        "enabled already",
        standing(PackageManagement, "modify_package", ON),
        "ENABLED",
    ),
    row(
        PackageManagement,
        "modify_onboarded",
        409,
        "a repeat",
        standing(PackageManagement, "modify_onboarded", ON),
        "ENABLED",
    ),
    row(PackageManagement, "upload_content", 409, "content that is there", uploaded_again, "ONBOARDED"),
    row(
        PackageManagement,
        "upload_onboarded",
        409,
        "on-boarded",
        standing(PackageManagement, "upload_onboarded"),
        "ONBOARDED",
    ),
    row(PackageManagement, "delete_onboarded", 403, "a package in use", in_use, "IN_USE"),
    *(
        row(PackageManagement, name, 403, "whatever is sent", standing(PackageManagement, name), "descriptor")
        for name in ("replace_descriptor", "replace_onboarded_descriptor")
    ),
    *(
        row(PackageManagement, name, 403, "not on-boarded", not_on_boarded(name), "CREATED")
        for name in ("download_content", "read_descriptor")
    ),
    *(row(PackageManagement, name, 206, "one range", ranged(name, "bytes=1-5")) for name in DOWNLOADS),
    *(row(PackageManagement, name, 416, "behind the end", ranged(name, f"bytes={2**40}-")) for name in DOWNLOADS),
    row(Lifecycle, "create_instance", 403, "a disabled package", of_disabled, "DISABLED"),
    row(Lifecycle, "create_instance", 404, "a package that there is not", unknown_descriptor, "unknown"),
    row(Lifecycle, "delete_instance", 409, "one that runs", running("delete_instance"), "INSTANTIATED"),
    row(Lifecycle, "instantiate", 409, "one that runs", running("instantiate", {}), "INSTANTIATED"),
    row(Lifecycle, "terminate", 409, "one without resources", standing(Lifecycle, "terminate", FORCED), "NOT_INST"),
    row(Lifecycle, "operate", 409, "one without resources", standing(Lifecycle, "operate", START), "NOT_INST"),
    row(Granting, "request_grant", 403, "no operation goes on", no_operation, "TERMINATE"),
)

_PATHS = taken(APIS)
ROWS: tuple[Row, ...] = (
    *(found for api in APIS for found in common_rows(api, _PATHS)),
    *SPECIAL,
    *(found for api in APIS for found in declared_rows(api, EXAMPLES)),
)
