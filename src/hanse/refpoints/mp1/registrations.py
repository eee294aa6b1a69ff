"""Mp1, application registration: an app tells the platform who it is (ETSI GS MEC 011 V3.1.1, 7.2.13 and 7.2.14)."""

from __future__ import annotations

from typing import Any

from hanse.kit.contract.declare import Api, Created, Tagged, delete, get, post, put
from hanse.kit.values import ABSENT, Absent, Value
from hanse.model.descriptor.services import CategoryRef, FeatureDependency, ServiceDependency
from hanse.refpoints.mp1.services import EndPointInfo


class AppInfo(Value):
    """An app by its own word (7.1.2.6); ``app_profile`` is the EASProfile of 3GPP TS 29.558, which is not looked into.

    An app that MEC management instantiated (``is_ins_by_mec``) gives ``app_d_id`` and ``app_instance_id``; any other
    gives ``endpoint``. Dependencies are given only where no descriptor says them.
    """

    app_name: str
    app_provider: str | Absent = ABSENT
    app_category: CategoryRef | Absent = ABSENT
    app_d_id: str | Absent = ABSENT
    app_instance_id: str | Absent = ABSENT
    endpoint: EndPointInfo | Absent = ABSENT
    app_service_required: tuple[ServiceDependency, ...] | Absent = ABSENT
    app_service_optional: tuple[ServiceDependency, ...] | Absent = ABSENT
    app_feature_required: tuple[FeatureDependency, ...] | Absent = ABSENT
    app_feature_optional: tuple[FeatureDependency, ...] | Absent = ABSENT
    is_ins_by_mec: bool = False
    app_profile: dict[str, Any] | Absent = ABSENT


class Registrations(Api, bases=("/mec_app_support/v2", "/mec_app_support/v1")):
    """Registration, which is optional for apps (5.2.13.1); an app registers no other than itself."""

    @post("/registrations")
    async def register_app(self, registration: AppInfo) -> Created[AppInfo]:
        """Register; 403 if the app is registered already, 404 for an instance that is not known (7.2.13.3.4)."""

    @get("/registrations/{app_instance_id}")
    async def read_registration(self, app_instance_id: str) -> Tagged[AppInfo]:
        """The app's registration (7.2.14.3.1)."""

    @put("/registrations/{app_instance_id}", success=204, refuses=(400, 401, 403, 404, 412))
    async def replace_registration(self, app_instance_id: str, registration: AppInfo) -> None:
        """Replace the app's registration; attributes left out are gone (7.2.14.3.2)."""

    @delete("/registrations/{app_instance_id}", refuses=(401, 403, 404, 412))
    async def deregister_app(self, app_instance_id: str) -> None:
        """Withdraw the app's registration; the app itself stays (5.2.13.4, 7.2.14.3.5)."""
