"""The table of Mp1: application support, service management, UE identity (MEC 011 V3.1.1, MEC 014 V2.1.1)."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from hanse.elements.mep import Platform
from hanse.kit.contract.declare import Api
from hanse.refpoints.mm5.platform import GracefulEnd
from hanse.refpoints.mp1.liveness import ServiceLiveness
from hanse.refpoints.mp1.registrations import Registrations
from hanse.refpoints.mp1.services import ServiceManagement
from hanse.refpoints.mp1.support import ApplicationSupport, OperationAction
from hanse.refpoints.mp1.timing import Timing
from hanse.refpoints.mp1.ue_identity import UeIdentity
from tests.contract.statuses.faults import common_rows
from tests.contract.statuses.mp1_place import Mp1Place, app_of
from tests.contract.statuses.row import Row, as_declared, declared_rows, row, taken
from tests.contract.statuses.wish import Wish
from tests.contract.test_mp1_services import service

APIS: tuple[type[Api], ...] = (
    ServiceManagement,
    ServiceLiveness,
    ApplicationSupport,
    Registrations,
    Timing,
    UeIdentity,
)


async def ending(place: Mp1Place) -> Wish:
    """An app that is ending cannot become ready."""
    wish = await place.example(ApplicationSupport, "confirm_ready")
    end = GracefulEnd(action=OperationAction.TERMINATING, timeout=60)
    await place.host.mm5.announce_end(wish.values["app_instance_id"], end)
    return wish


async def not_ending(place: Mp1Place) -> Wish:
    """An app that nobody ends has nothing to confirm."""
    wish = await place.example(ApplicationSupport, "confirm_ready")
    operation = ApplicationSupport.operations["confirm_termination"]
    return replace(wish, operation=operation, body={"operationAction": "TERMINATING"})


async def inactive(place: Mp1Place) -> Wish:
    """A service that its producer has set INACTIVE does not come back by a heartbeat."""
    wish = await place.example(ServiceLiveness, "send_heartbeat")
    app = app_of(wish, place)
    here = f"/services/{wish.values['service_id']}"
    name = (await app.services("GET", here)).body["serName"]
    await app.services("PUT", here, service(name, state="INACTIVE", livenessInterval=60))
    return wish


async def other_interval(place: Mp1Place) -> Wish:
    """The operator has set another interval since the service was registered."""
    wish = await place.example(ServiceLiveness, "send_heartbeat")
    platform = place.host.built.part("mep.harbour")
    assert isinstance(platform, Platform)
    platform.liveness.policy = msgspec.structs.replace(platform.liveness.policy, longest=50)
    return wish


async def undeclared(place: Mp1Place) -> Wish:
    """An app offers only what its descriptor declares."""
    wish = await place.example(ServiceManagement, "register_service")
    return replace(wish, body=service("undeclared"))


async def registered_already(place: Mp1Place) -> Wish:
    """An app registers once."""
    wish = await place.example(Registrations, "register_app")
    assert (await place.ask(wish)).status == 201
    return wish


async def instance_unknown(place: Mp1Place) -> Wish:
    """An app names an instance that the platform does not know."""
    wish = await place.example(Registrations, "register_app")
    return replace(wish, body=wish.body | {"appInstanceId": "nobody"})


def never_registered(name: str) -> Row:
    """An app that has not registered has no registration."""

    async def make(place: Mp1Place) -> Wish:
        app = await place.host.app()
        wish = (await place.standing(Registrations, name)).with_value("app_instance_id", app.id)
        body = None if wish.body is None else wish.body | {"appInstanceId": app.id}
        return replace(wish, body=body).with_headers(authorization=f"Bearer {app.token}")

    return row(Registrations, name, 404, "never registered", make, "registration")


async def tag_unknown(place: Mp1Place) -> Wish:
    """A tag that stands for no device is not there."""
    return replace(await place.example(UeIdentity, "read_tags"), query="ueIdentityTag=nobody")


async def tag_unmapped(place: Mp1Place) -> Wish:
    """A tag that stands for no device cannot be registered."""
    wish = await place.example(UeIdentity, "set_tags")
    return replace(wish, body={"ueIdentityTags": [{"ueIdentityTag": "nobody", "state": 1}]})


SPECIAL = (
    row(ApplicationSupport, "confirm_ready", 409, "an app that is ending", ending, "TERMINATING"),
    row(
        ApplicationSupport,
        "confirm_termination",
        409,
        "an app that nobody ends",
        not_ending,
        "AppTerminationNotification",
    ),
    row(ServiceLiveness, "send_heartbeat", 409, "a service that is INACTIVE", inactive, "INACTIVE"),
    row(ServiceLiveness, "send_heartbeat", 200, "another interval", other_interval),
    row(ServiceLiveness, "send_heartbeat", 204, "as declared", as_declared(ServiceLiveness, "send_heartbeat")),
    row(ServiceManagement, "register_service", 403, "a service not declared", undeclared, "undeclared"),
    row(Registrations, "register_app", 403, "registered already", registered_already, "registered already"),
    row(Registrations, "register_app", 404, "an instance that is not known", instance_unknown, "nobody"),
    *(never_registered(name) for name in ("read_registration", "replace_registration", "deregister_app")),
    row(UeIdentity, "read_tags", 404, "a tag that is not known", tag_unknown, "nobody"),
    row(UeIdentity, "set_tags", 400, "a tag that is not known", tag_unmapped, "nobody"),
)

_PATHS = taken(APIS)
ROWS: tuple[Row, ...] = (
    *(found for api in APIS for found in declared_rows(api, api.operations.keys() - {"send_heartbeat"})),
    *(found for api in APIS for found in common_rows(api, _PATHS)),
    *SPECIAL,
)
