"""Planting: puts what a seed says into a platform, as if its apps had done it themselves."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from hanse.assembly.sandbox.options import OPERATOR
from hanse.assembly.sandbox.seed import Seed, SeededApp, SeededService, SeededSubscription
from hanse.elements.mep import Platform
from hanse.kit.contract.decode import invalid
from hanse.kit.problems import Problem
from hanse.model.descriptor.services import ServiceDescriptor
from hanse.refpoints.mm5.platform import AppAccess, AppConfiguration
from hanse.refpoints.mp1.services import AVAILABILITY_SUBSCRIPTION, AvailabilitySubscription
from hanse.refpoints.mp1.support import TerminationSubscription

T = TypeVar("T")
S = TypeVar("S", AvailabilitySubscription, TerminationSubscription)


@dataclass(frozen=True)
class Planter:
    """Plants a seed; planted again over what a home keeps, nothing is there twice."""

    platform: Platform

    async def plant(self, seed: Seed) -> dict[str, AppAccess]:
        """Put everything in; how each app gets tokens, by its id. A problem names the entry that cannot be taken."""
        access = {}
        for app in seed.apps:
            access[app.id] = await _naming(f"app {app.id}", self._app(app))
        for service in seed.services:
            await _naming(f"service {service.id}", self._service(service))
        for subscription in seed.subscriptions:
            await _naming(f"subscription {subscription.id}", self._subscription(subscription))
        return access

    async def _app(self, app: SeededApp) -> AppAccess:
        configuration = AppConfiguration(
            app_instance_id=app.id,
            app_d_id=app.app_d_id,
            app_name=app.name,
            app_provider=app.provider,
            tenant=OPERATOR,
            address=app.address,
            port=app.port,
            traffic_rules=app.traffic_rules,
            dns_rules=app.dns_rules,
            services_required=app.services_required,
            services_produced=tuple(ServiceDescriptor(ser_name=name, version="1.0") for name in app.services_produced),
            storage=app.storage,
        )
        access = await self.platform.configuration.configure(app.id, configuration)
        await self.platform.configuration.activate(app.id)
        return access

    async def _service(self, service: SeededService) -> None:
        registry = self.platform.services
        if service.id in self.platform.records.services:
            await registry.replace_service(service.app, service.id, service.info)
        else:
            await registry.plant_service(service.app, service.info, service.id)

    async def _subscription(self, wanted: SeededSubscription) -> None:
        if wanted.body["subscriptionType"] == AVAILABILITY_SUBSCRIPTION:
            if wanted.id not in self.platform.records.availability:
                availability = _read(wanted, AvailabilitySubscription)
                await self.platform.services.plant_subscription(wanted.app, availability, wanted.id)
        elif wanted.id not in self.platform.records.termination:
            termination = _read(wanted, TerminationSubscription)
            await self.platform.support.plant_subscription(wanted.app, termination, wanted.id)


def _read(wanted: SeededSubscription, shape: type[S]) -> S:
    try:
        return msgspec.convert(wanted.body, shape)
    except msgspec.ValidationError as error:
        raise invalid(str(error), shape) from None


async def _naming(what: str, work: Awaitable[T]) -> T:
    """Do it; a refusal names the entry of the seed that is at fault."""
    try:
        return await work
    except Problem as problem:
        raise Problem(problem.status, f"Seed, {what}: {problem.title}", problem.detail) from None
