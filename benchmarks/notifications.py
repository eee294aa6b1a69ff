"""``notifications``: one service changes, and 1,000 subscribers in other processes are told.

The operator is a real one with everything in one process: the change comes over Mp1, the notifications are committed
with it, delivered, recorded in the journal, and removed from the store. The floor is aiohttp that posts the same bodies
to the same subscribers and keeps nothing. What is compared is the server's CPU time for each notification.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import tempfile
import time
from contextlib import ExitStack
from http.client import HTTPSConnection
from pathlib import Path

import msgspec
from msgspec.structs import replace

from benchmarks import bare_poster, notified
from benchmarks.population import app, services, token
from benchmarks.processes import cpu_seconds, serving
from benchmarks.report import ROUNDS, Report, Target, Tell, ratio_of, spread
from hanse.assembly.catalogue import elements
from hanse.assembly.identities import Identities
from hanse.elements.mep.records import AppRecord, AvailabilityRecord, Records, ServiceRecord
from hanse.kit.problems import Problem
from hanse.kit.store import Store, Transaction
from hanse.kit.values import ABSENT, Link
from hanse.model.descriptor.services import ServiceDescriptor
from hanse.refpoints.mp1.services import (
    AVAILABILITY_SUBSCRIPTION,
    AvailabilityNotification,
    AvailabilitySubscription,
    ChangeType,
    ServiceInfo,
    ServiceReference,
    ServiceState,
    SubscriptionLink,
)
from hanse.scenarios.stage import Stage

TARGETS = {"bare_poster": Target(bound=0.7, kind="at least")}
PLATFORM = "mep.harbour"
PRODUCER, SUBSCRIBER = "producer", "subscriber"
RECEIVER_PORTS = (18081, 18082)


class Size(msgspec.Struct, frozen=True):
    """How large a run is: subscribers, and changes in a round."""

    subscribers: int = 1000
    changes: int = 10
    rounds: int = ROUNDS


def run(tell: Tell, size: Size | None = None) -> Report:
    """Measure and compare."""
    with tempfile.TemporaryDirectory(prefix="hanse-bench-") as directory, ExitStack() as stack:
        stage = Stage(Path(directory))
        stack.callback(stage.clear)
        return _Bench(stage, size or Size(), tell).run(stack)


class _Bench:
    def __init__(self, stage: Stage, size: Size, tell: Tell) -> None:
        self._stage, self._size, self._tell = stage, size, tell
        self._north = stage.operator("north")
        self._platform = elements(self._north)[PLATFORM]
        self._address = self._north.devices["alice"].address
        [self._service] = services(self._platform.url, 1, 1)
        ports = [RECEIVER_PORTS[number % len(RECEIVER_PORTS)] for number in range(size.subscribers)]
        self._urls = [f"http://{self._address}:{port}/told/{number}" for number, port in enumerate(ports)]
        self._changed, self._posted = 0, 0

    def run(self, stack: ExitStack) -> Report:
        asyncio.run(self._populate())
        deployment = self._stage.deployment
        deployment.prepare()
        operator = deployment.start_operator(self._north)
        deployment.await_operator(operator)
        self._hanse = operator[0][2].pid
        plans = [msgspec.json.encode(notified.Plan(self._address, port)) for port in RECEIVER_PORTS]
        self._receivers = [stack.enter_context(serving("benchmarks.notified", plan)) for plan in plans]
        self._floor = stack.enter_context(serving("benchmarks.bare_poster", self._floor_plan()))
        authority = Identities(self._north).authority_path
        self._authorization = f"Bearer {token(self._north, PLATFORM, PRODUCER, authority)}"
        context = ssl.create_default_context(cafile=str(authority))
        self._mp1 = HTTPSConnection(self._platform.address, self._platform.port, context=context, timeout=30)
        stack.callback(self._mp1.close)
        return self._measured()

    def _measured(self) -> Report:
        self._change()  # connections are made, code is warm
        self._post()
        idle = self._at_rest()
        hanse, floor, took = [], [], []
        told = self._size.changes * self._size.subscribers
        for number in range(self._size.rounds):
            floor.append(self._round(self._floor.pid, self._post, 0.0)[0] / told * 1e6)
            used, seconds = self._round(self._hanse, self._change, idle)
            hanse.append(used / told * 1e6)
            took.append(seconds / self._size.changes)
            self._tell(f"round {number + 1}: Hanse {hanse[-1]:.1f}, bare {floor[-1]:.1f} µs of CPU a notification")
        return Report(
            bench="notifications",
            figures={
                "cpu_us_per_notification": spread(hanse, 1),
                "seconds_until_all_are_told": spread(took),
                "subscribers": self._size.subscribers,
                "cpu_share_at_rest": round(idle, 3),
            },
            floor={"bare_poster_cpu_us": spread(floor, 1)},
            ratio={"bare_poster": ratio_of(floor, hanse)},
        )

    def _round(self, pid: int, act: object, idle: float) -> tuple[float, float]:
        """CPU seconds that process ``pid`` took for all changes of a round, and how long they took."""
        assert callable(act)
        before, began = cpu_seconds(pid), time.monotonic()
        for _ in range(self._size.changes):
            act()
        time.sleep(0.3)  # what follows the last delivery: the journal, and records that are removed
        seconds = time.monotonic() - began
        return cpu_seconds(pid) - before - idle * seconds, seconds - 0.3

    def _at_rest(self) -> float:
        """What the operator does meanwhile by itself, in CPU seconds a second: no part of a notification's cost."""
        time.sleep(2.0)
        before = cpu_seconds(self._hanse)
        time.sleep(3.0)
        return (cpu_seconds(self._hanse) - before) / 3

    def _change(self) -> None:
        """Change the service over Mp1; return once every subscriber was told."""
        self._changed += 1
        state = ServiceState.INACTIVE if self._changed % 2 else ServiceState.ACTIVE
        changed = replace(self._service, state=state, links=ABSENT, is_local=ABSENT)
        path = f"/mec_service_mgmt/v1/applications/{PRODUCER}/services/{self._service.ser_instance_id}"
        headers = {"authorization": self._authorization, "content-type": "application/json"}
        self._mp1.request("PUT", path, msgspec.json.encode(changed), headers)
        answer = self._mp1.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise Problem(500, "The service was not changed", f"the platform answered {answer.status}: {body[:300]!r}")
        self._all_told()

    def _post(self) -> None:
        """Let the floor post once to everybody."""
        _line(self._floor, "go")
        self._all_told()

    def _all_told(self) -> None:
        self._posted += 1
        for number, receiver in enumerate(self._receivers):
            share = len(range(number, self._size.subscribers, len(self._receivers)))
            taken = int(_line(receiver, str(share * self._posted)))
            if taken != share * self._posted:
                raise Problem(500, "Notifications came twice", f"{taken} came, {share * self._posted} were due")

    async def _populate(self) -> None:
        store = Store(self._north.directory / f"{PLATFORM}.sqlite")
        records = Records(store)

        def decide(tx: Transaction) -> None:
            tx.put(records.apps, PRODUCER, _producing(app(PRODUCER), self._service))
            tx.put(records.apps, SUBSCRIBER, app(SUBSCRIBER))
            key = str(self._service.ser_instance_id)
            tx.put(records.services, key, ServiceRecord(service=self._service, app_instance_id=PRODUCER))
            for number, url in enumerate(self._urls):
                tx.put(records.availability, f"s-{number}", _subscription(f"s-{number}", url))

        await store.commit(decide)
        store.close()

    def _floor_plan(self) -> bytes:
        """A notification just as long as the platform's."""
        base = f"{self._platform.url}/mec_service_mgmt/v1"
        reference = ServiceReference(
            ser_name=self._service.ser_name,
            ser_instance_id=str(self._service.ser_instance_id),
            state=ServiceState.ACTIVE,
            change_type=ChangeType.STATE_CHANGED,
            link=Link(href=f"{base}/services/{self._service.ser_instance_id}"),
        )
        subscription = Link(href=f"{base}/applications/{SUBSCRIBER}/subscriptions/s-100")
        body = AvailabilityNotification(
            service_references=(reference,), links=SubscriptionLink(subscription=subscription)
        )
        return msgspec.json.encode(bare_poster.Plan(self._urls, json.dumps(msgspec.to_builtins(body))))


def _producing(record: AppRecord, service: ServiceInfo) -> AppRecord:
    produced = (ServiceDescriptor(ser_name=service.ser_name, version=service.version),)
    return replace(record, configuration=replace(record.configuration, services_produced=produced))


def _subscription(identifier: str, url: str) -> AvailabilityRecord:
    return AvailabilityRecord(
        subscription_id=identifier,
        app_instance_id=SUBSCRIBER,
        subscription=AvailabilitySubscription(subscription_type=AVAILABILITY_SUBSCRIPTION, callback_reference=url),
    )


def _line(process: subprocess.Popen[bytes], text: str) -> str:
    """Say a line to a process; the one that it answers."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{text}\n".encode())
    process.stdin.flush()
    answer = process.stdout.readline().decode().strip()
    if not answer:
        raise Problem(500, "A process of the benchmark ended", "what it said of the reason is above")
    return answer
