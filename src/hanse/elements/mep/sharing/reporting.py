"""Reporting: what the platform tells its manager, and through it the orchestrator, of its services (Mm5, Mm3)."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from hanse.elements.mep.records import Records, ServiceRecord
from hanse.kit.contract.call import UNTRACED, continuing, new_trace
from hanse.kit.problems import Problem
from hanse.kit.store import Store
from hanse.kit.values import Value
from hanse.refpoints.mm3.management import REPORT_PERIOD, OfferedService, PlatformReport
from hanse.refpoints.mm5.platform import ManagerLookup
from hanse.refpoints.mp1.services import TransportInfo

log = logging.getLogger("hanse.mep")

REPORT_PAUSE = 0.05
"""Seconds in which changes of services gather before they are reported upwards."""
LONGEST_PAUSE = 2.0


class ReportNumber(Value):
    """The number of the last report upwards."""

    number: int


class Reporter:
    """Reports all services after each change, and the same again as a sign of life."""

    def __init__(
        self, host: str, store: Store, records: Records, manager: ManagerLookup, redirectors: tuple[str, ...] = ()
    ) -> None:
        """``redirectors``: where the host leads devices by HTTP, which is told with each report."""
        self._host = host
        self._redirectors = redirectors
        self._store = store
        self._records = records
        self._manager = manager
        self._numbers = store.shelf("report_number", ReportNumber)
        self._last: PlatformReport | None = None
        self._dirty = asyncio.Event()
        self._dirty.set()

    def changed(self) -> None:
        """A service of this host came, changed or went."""
        self._dirty.set()

    async def run(self) -> None:
        """Report, until cancelled; what the manager does not take is reported again."""
        pause = REPORT_PAUSE
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPORT_PERIOD):
                    await self._dirty.wait()
            await asyncio.sleep(pause)
            changed = self._dirty.is_set()
            self._dirty.clear()
            try:
                await self._report(changed)
                pause = REPORT_PAUSE
            except Problem as problem:
                log.info("reporting services of %s failed: %s", self._host, problem)
                self._dirty.set()
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _report(self, changed: bool) -> None:
        """A sign of life is the report before: nothing is worked out for it."""
        last = self._last
        report = await self._newest(last) if changed or last is None else last
        self._last = report
        with continuing(new_trace() if report is not last else UNTRACED, patience=REPORT_PERIOD):
            await self._manager.report_services(self._host, report)

    async def _newest(self, last: PlatformReport | None) -> PlatformReport:
        services = tuple(self._offered(record) for record in self._records.services.values())
        if last is not None and last.services == services:
            return last
        number = await self._next()
        return PlatformReport(host=self._host, sequence=number, services=services, redirectors=self._redirectors)

    async def _next(self) -> int:
        last = self._numbers.find("last")
        number = ReportNumber(number=(last.number if last else 0) + 1)
        await self._store.commit(lambda tx: tx.put(self._numbers, "last", number))
        return number.number

    def _offered(self, record: ServiceRecord) -> OfferedService:
        service, transport = record.service, record.service.transport_info
        app = self._records.apps.find(record.app_instance_id)
        return OfferedService(
            ser_instance_id=str(service.ser_instance_id),
            ser_name=service.ser_name,
            version=service.version,
            state=service.state,
            serializer=service.serializer,
            scope_of_locality=service.scope_of_locality,
            consumed_local_only=service.consumed_local_only,
            app_instance_id=record.app_instance_id,
            tenant=app.configuration.tenant if app else "",
            transport_type=transport.type if isinstance(transport, TransportInfo) else "REST_HTTP",
            transport_version=transport.version if isinstance(transport, TransportInfo) else "1.1",
        )
