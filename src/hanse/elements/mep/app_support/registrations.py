"""Mp1, application registration, as the platform provides it (ETSI GS MEC 011 V3.1.1, 7.2.13 and 7.2.14)."""

from __future__ import annotations

from typing import Any

import msgspec

from hanse.elements.mep.quotas import Quotas
from hanse.elements.mep.records import Records, RegistrationRecord
from hanse.elements.mep.service_management.endpoints import check_endpoint
from hanse.kit.contract.call import asked_below, current_call, require_match
from hanse.kit.contract.declare import Created, Tagged
from hanse.kit.contract.tags import tag_of, tagged
from hanse.kit.problems import Problem, bad_request, forbidden, not_found
from hanse.kit.store import Store, Transaction
from hanse.kit.values import ABSENT
from hanse.refpoints.mm5.platform import AppConfiguration
from hanse.refpoints.mp1.registrations import AppInfo, Registrations
from hanse.refpoints.mp1.services import EndPointInfo

DEPENDENCIES = ("app_service_required", "app_service_optional", "app_feature_required", "app_feature_optional")
_FORMS = tuple(field.encode_name for field in msgspec.structs.fields(EndPointInfo))


class AppRegistry(Registrations):
    """What apps say of themselves. An app that gives no instance id gets the one for which its token was issued."""

    def __init__(self, url: str, store: Store, records: Records, quotas: Quotas = Quotas()) -> None:  # noqa: B008
        self._url = url
        self._store = store
        self._records = records
        self._quotas = quotas

    async def register_app(self, registration: AppInfo) -> Created[AppInfo]:
        """Register the caller, once."""
        own = current_call().caller.subject
        if registration.app_instance_id not in (ABSENT, own):
            raise self._not_own(str(registration.app_instance_id))
        self._quotas.check_record("Registration", registration)
        known = msgspec.structs.replace(registration, app_instance_id=own)

        def decide(tx: Transaction) -> None:
            check_registration(registration, tx.get(self._records.apps, own).configuration)
            if tx.find(self._records.registrations, own) is not None:
                raise forbidden("App is registered already", "PUT replaces the registration, DELETE withdraws it")
            tx.put(self._records.registrations, own, RegistrationRecord(app_instance_id=own, info=known))

        await self._store.commit(decide)
        here = f"{self._url}{asked_below(Registrations.api_bases)}/registrations/{own}"
        return Created(known, here, tag_of(known))

    async def read_registration(self, app_instance_id: str) -> Tagged[AppInfo]:
        """The app's own registration."""
        return tagged(_present(self._records.registrations.find(app_instance_id), app_instance_id).info)

    async def replace_registration(self, app_instance_id: str, registration: AppInfo) -> None:
        """Replace the app's own registration."""
        known = msgspec.structs.replace(registration, app_instance_id=app_instance_id)

        def decide(tx: Transaction) -> None:
            present = _present(tx.find(self._records.registrations, app_instance_id), app_instance_id)
            require_match(tag_of(present.info))
            if registration.app_instance_id not in (ABSENT, app_instance_id):
                raise bad_request("Invalid attribute appInstanceId", f"must be that of the URI, {app_instance_id}")
            self._quotas.check_record("Registration", registration)
            check_registration(registration, tx.get(self._records.apps, app_instance_id).configuration)
            record = RegistrationRecord(app_instance_id=app_instance_id, info=known)
            tx.put(self._records.registrations, app_instance_id, record)

        await self._store.commit(decide)

    async def deregister_app(self, app_instance_id: str) -> None:
        """Withdraw the app's own registration."""

        def decide(tx: Transaction) -> None:
            record = _present(tx.find(self._records.registrations, app_instance_id), app_instance_id)
            require_match(tag_of(record.info))
            tx.delete(self._records.registrations, app_instance_id)

        await self._store.commit(decide)

    def _not_own(self, identifier: str) -> Problem:
        if identifier in self._records.apps:
            return forbidden("Not yours", "appInstanceId must be the caller's own")
        return not_found("application instance", identifier)


def check_registration(info: AppInfo, app: AppConfiguration) -> None:
    """What a registration must hold beyond its shape; an app with a descriptor cannot say otherwise (7.1.2.6)."""
    if info.is_ins_by_mec != bool(app.app_d_id):
        came = "MEC management instantiated this app" if app.app_d_id else "no descriptor of this app is known"
        raise bad_request("Invalid attribute isInsByMec", f"must be {str(bool(app.app_d_id)).lower()}: {came}")
    if app.app_d_id:
        _check_described(info, app)
    elif info.endpoint is ABSENT:
        raise bad_request("Missing attribute endpoint", "an app that MEC management did not instantiate gives it")
    if isinstance(info.endpoint, EndPointInfo):
        check_endpoint(info.endpoint, "endpoint")
    _check_profile(info)


def _check_described(info: AppInfo, app: AppConfiguration) -> None:
    for name in ("app_d_id", "app_instance_id"):
        if getattr(info, name) is ABSENT:
            raise bad_request(f"Missing attribute {_wire(name)}", "it is mandatory where isInsByMec is true")
    for name in ("app_d_id", "app_name", "app_provider"):
        given, right = getattr(info, name), getattr(app, name)
        if given not in (ABSENT, right):
            raise bad_request(f"Invalid attribute {_wire(name)}", f"the app's descriptor says {right}")
    for name in DEPENDENCIES:
        if getattr(info, name) is not ABSENT:
            raise bad_request(f"Unexpected attribute {_wire(name)}", "the app's descriptor says it")


def _check_profile(info: AppInfo) -> None:
    """An EASProfile repeats the provider and the endpoint (7.1.2.6, notes 1 and 2)."""
    if not isinstance(info.app_profile, dict):
        return
    if info.app_provider is not ABSENT and info.app_profile.get("provId", info.app_provider) != info.app_provider:
        raise bad_request("Invalid attribute appProvider", "must be appProfile.provId")
    if info.endpoint is not ABSENT and _said_otherwise(info.endpoint, info.app_profile.get("endPt")):
        raise bad_request("Invalid attribute endpoint", "must be appProfile.endPt")


def _said_otherwise(endpoint: EndPointInfo, profile: Any) -> bool:
    """Whether a profile gives another endpoint in MEC's form; 3GPP's own (TS 29.558) has other values."""
    if not isinstance(profile, dict):
        return False
    given = msgspec.json.decode(msgspec.json.encode(endpoint))
    theirs = {name: profile[name] for name in _FORMS if isinstance(profile.get(name), list | dict)}
    return bool(theirs) and theirs != given


def _present(record: RegistrationRecord | None, identifier: str) -> RegistrationRecord:
    if record is None:
        raise not_found("registration", identifier)
    return record


def _wire(name: str) -> str:
    return next(f.encode_name for f in msgspec.structs.fields(AppInfo) if f.name == name)
