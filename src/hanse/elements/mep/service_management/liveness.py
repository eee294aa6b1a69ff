"""Liveness of services: who must send heartbeats, and what becomes of a service that is silent (MEC 011, 8.2.10)."""

from __future__ import annotations

import logging
import time

import msgspec

from hanse.elements.mep.notices import Notices
from hanse.elements.mep.records import Heartbeat, Records, ServiceRecord
from hanse.elements.mep.service_management.index import ServiceIndex
from hanse.elements.mep.service_management.silence import SilenceTimer
from hanse.kit.contract.call import require_match
from hanse.kit.contract.declare import Tagged
from hanse.kit.contract.tags import tag_of, tagged
from hanse.kit.problems import Problem, bad_request, conflict, not_found
from hanse.kit.store import Store, Transaction
from hanse.kit.values import ABSENT, Absent, TimeStamp, Value
from hanse.refpoints.mp1.liveness import ServiceLiveness, ServiceLivenessInfo, ServiceLivenessUpdate, ServiceState
from hanse.refpoints.mp1.services import ChangeType

log = logging.getLogger("hanse.mep")

AGAIN = 5.0
"""Seconds until a suspension that could not be written is tried again."""


class LivenessPolicy(Value):
    """What a platform requires: ``interval`` for who proposes none (0: no heartbeats at all), bounds of proposals, all
    in seconds; after ``misses`` intervals without a heartbeat a service is SUSPENDED."""

    interval: int = 30
    shortest: int = 1
    longest: int = 3600
    misses: int = 3

    def agreed(self, proposed: int | Absent) -> int | Absent:
        """The interval for a producer; absent if it sends no heartbeats, or none are required (8.1.2.2)."""
        if not isinstance(proposed, int) or self.interval == 0:
            return ABSENT
        return min(max(proposed or self.interval, self.shortest), self.longest)


class Liveness(ServiceLiveness):
    """Hears heartbeats and suspends services that are not heard; what it decides it decides on disk."""

    def __init__(
        self, store: Store, records: Records, notices: Notices, index: ServiceIndex, policy: LivenessPolicy
    ) -> None:
        self._store = store
        self._records = records
        self._notices = notices
        self._index = index
        self.policy = policy
        self._timer = SilenceTimer(self._suspend)

    async def watch(self) -> None:
        """Suspend who is silent, until cancelled; at the start everybody has the whole patience again."""
        for record in self._records.services.values():
            self._expect(record)
        await self._timer.run()

    def note(self, tx: Transaction, record: ServiceRecord) -> None:
        """A service was announced or replaced, which is a sign of life, as part of a larger decision."""
        identifier = str(record.service.ser_instance_id)
        if record.service.liveness_interval is ABSENT:
            tx.delete(self._records.heartbeats, identifier)
        else:
            tx.put(self._records.heartbeats, identifier, Heartbeat(at=time.time()))
        tx.after.append(lambda: self._expect(record))

    def forget(self, tx: Transaction, service_id: str) -> None:
        """A service is withdrawn, as part of a larger decision."""
        tx.delete(self._records.heartbeats, service_id)
        tx.after.append(lambda: self._timer.forget(service_id))

    async def read_liveness(self, app_instance_id: str, service_id: str) -> Tagged[ServiceLivenessInfo]:
        """When one of the app's own services was last heard of."""
        record = _required(app_instance_id, self._records.services.find(service_id), service_id)
        return tagged(_info(record, self._records.heartbeats.get(service_id)))

    async def send_heartbeat(
        self, app_instance_id: str, service_id: str, heartbeat: ServiceLivenessUpdate
    ) -> Tagged[ServiceLivenessInfo] | None:
        """One of the app's own services is alive; one that was SUSPENDED is ACTIVE again."""
        if heartbeat.state is not ServiceState.ACTIVE:
            raise bad_request("Invalid attribute state", "a heartbeat says ACTIVE; PUT the service to say else")
        beat = Heartbeat(at=time.time())
        return await self._store.commit(lambda tx: self._beaten(tx, app_instance_id, service_id, beat))

    def _beaten(
        self, tx: Transaction, app: str, service_id: str, beat: Heartbeat
    ) -> Tagged[ServiceLivenessInfo] | None:
        before = _required(app, tx.find(self._records.services, service_id), service_id)
        require_match(tag_of(_info(before, tx.get(self._records.heartbeats, service_id))))
        if before.service.state is ServiceState.INACTIVE:
            raise conflict("Service is INACTIVE", "its producer has it so: PUT the service with state ACTIVE first")
        interval = self.policy.agreed(before.service.liveness_interval)
        alive = msgspec.structs.replace(before.service, state=ServiceState.ACTIVE)
        if isinstance(interval, int):
            alive = msgspec.structs.replace(alive, liveness_interval=interval)
        after = msgspec.structs.replace(before, service=alive)
        tx.put(self._records.heartbeats, service_id, beat)
        if alive != before.service:
            self._change(tx, after, told=before.service.state is ServiceState.SUSPENDED)
        tx.after.append(lambda: self._expect(after))
        return tagged(_info(after, beat)) if alive.liveness_interval != before.service.liveness_interval else None

    async def _suspend(self, silent: list[str]) -> None:
        try:
            await self._store.commit(lambda tx: self._suspended(tx, silent))
        except Problem as problem:
            log.warning("%d silent services are not suspended yet: %s", len(silent), problem)
            for identifier in silent:
                self._timer.hear(identifier, AGAIN)

    def _suspended(self, tx: Transaction, silent: list[str]) -> None:
        for identifier in silent:
            record = tx.find(self._records.services, identifier)
            if record is None or record.service.state is not ServiceState.ACTIVE or self._heard(tx, identifier):
                continue
            service = msgspec.structs.replace(record.service, state=ServiceState.SUSPENDED)
            self._change(tx, msgspec.structs.replace(record, service=service), told=True)

    def _heard(self, tx: Transaction, service_id: str) -> bool:
        """Whether a service was heard of since it was found silent, also by what is still on its way to the disk."""
        coming = tx.find(self._records.heartbeats, service_id) is not self._records.heartbeats.find(service_id)
        return coming or self._timer.expects(service_id)

    def _change(self, tx: Transaction, record: ServiceRecord, *, told: bool) -> None:
        newer = msgspec.structs.replace(record, generation=record.generation + 1)
        tx.put(self._records.services, str(record.service.ser_instance_id), newer)
        if told:
            self._notices.service_changed(tx, record.service, ChangeType.STATE_CHANGED)
        tx.after.append(lambda: self._index.put(record.service))

    def _expect(self, record: ServiceRecord) -> None:
        interval, identifier = record.service.liveness_interval, str(record.service.ser_instance_id)
        if isinstance(interval, int) and record.service.state is ServiceState.ACTIVE:
            self._timer.hear(identifier, interval * self.policy.misses)
        else:
            self._timer.forget(identifier)


def _required(app: str, record: ServiceRecord | None, service_id: str) -> ServiceRecord:
    if record is None or record.app_instance_id != app or record.service.liveness_interval is ABSENT:
        raise not_found("liveness of service", service_id)
    return record


def _info(record: ServiceRecord, beat: Heartbeat) -> ServiceLivenessInfo:
    interval, seconds = record.service.liveness_interval, int(beat.at)
    assert isinstance(interval, int)
    stamp = TimeStamp(seconds=seconds, nano_seconds=int((beat.at - seconds) * 1e9))
    return ServiceLivenessInfo(state=record.service.state, time_stamp=stamp, interval=interval)
