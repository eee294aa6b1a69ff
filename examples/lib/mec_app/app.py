"""The life of a MEC application: serve, say so, offer services, and leave when asked (ETSI GS MEC 011 V3.1.1, 5.2)."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from .connection import Answer, Request
from .mp1 import Platform
from .problem import Problem
from .server import Routes, Server

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds for which a platform that is not ready for us is asked again (5.2.2: "a configurable time")."""

NOT_YET = (404, 409, 429, 500, 502, 503, 504)
FAREWELL = 2.0
"""Seconds for each thing that is done on the way out: after them somebody may be about to kill us."""


class MecApp:
    """An application with HTTP ``routes`` of its own that offers ``services`` (ServiceInfo values, maybe none)."""

    def __init__(self, platform: Platform, routes: Routes, services: Sequence[Mapping[str, Any]] = ()) -> None:
        self._platform = platform
        self._services = services
        self._registered: list[str] = []
        self._ending: SimpleQueue[str] = SimpleQueue()
        # The platform does not authenticate itself towards a callback: that nobody can guess the path must do.
        self._callback = f"/callbacks/{os.urandom(16).hex()}/termination"
        self._routes = {**routes, ("POST", self._callback): self._notified}

    def run(self) -> None:
        """Live until the platform ends the instance or SIGTERM comes; raises SystemExit if it cannot start."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _leave)
        server = self._serve()
        try:
            self._start_up()
            self._shut_down(self._ending.get())
        except Problem as problem:
            raise SystemExit(f"cannot start: {problem}") from problem
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # we are leaving already
            self._withdraw()
            server.drain(FAREWELL)

    def _serve(self) -> Server:
        settings = self._platform.settings
        threading.stack_size(1024 * 1024)  # the default of 8 MiB a thread exhausts a small memory limit
        try:
            server = Server((settings.app_address, int(settings.app_port)), self._routes)
        except (OSError, OverflowError) as error:
            raise SystemExit(f"cannot listen on {settings.app_address}:{settings.app_port}: {error}") from error
        server.start()
        return server

    def _start_up(self) -> None:
        callback = self._platform.settings.own_url + self._callback
        patiently(lambda: self._platform.subscribe_to_termination(callback))
        patiently(self._platform.confirm_ready)
        for service in self._services:
            self._registered.append(patiently(partial(self._offer, service, [])))
        say(f"ready on {self._platform.settings.own_url}")

    def _offer(self, service: Mapping[str, Any], tries: list[str]) -> str:
        """Register a service; a registration whose answer was lost is found when it is tried again, not made twice."""
        if tries and (found := self._platform.registered(service["serName"])):
            return found[0]
        tries.append(service["serName"])
        return self._platform.register(service)

    def _notified(self, request: Request) -> Answer:
        """AppTerminationNotification (7.1.4.2): answer at once, the main thread does the work."""
        try:
            notification = json.loads(request.body)
            kind, action = notification["notificationType"], notification["operationAction"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise Problem(400, "Not a notification", "send a JSON AppTerminationNotification") from error
        if kind != "AppTerminationNotification" or action not in ("STOPPING", "TERMINATING"):
            raise Problem(400, "Not a termination", "operationAction is STOPPING or TERMINATING")
        self._ending.put(action)
        return Answer(204)

    def _shut_down(self, action: str) -> None:
        say(f"asked to leave ({action})")
        self._withdraw()
        try:
            self._platform.confirm_termination(action)
        except Problem as problem:  # too late, or the platform is gone: it goes on without our word
            say(f"termination is not confirmed: {problem}")

    def _withdraw(self) -> None:
        """Offer nothing any more; what cannot be said now, the platform finds out by itself."""
        self._platform.client.timeout = FAREWELL
        while self._registered:
            try:
                self._platform.deregister(self._registered.pop())
            except Problem as problem:
                say(f"service is not deregistered: {problem}")


def patiently(call: Callable[[], T], patience: float = PATIENCE) -> T:
    """Call until it succeeds; a platform that is not ready yet is asked again, ever less often, for ``patience``."""
    give_up = time.monotonic() + patience
    delay = 0.05
    while True:
        try:
            return call()
        except Problem as problem:
            if problem.status not in NOT_YET or time.monotonic() + delay > give_up:
                raise
        time.sleep(delay)
        delay = min(2 * delay, 1.0)


def say(line: str) -> None:
    """One line for whoever reads the application's output."""
    print(line, file=sys.stderr, flush=True)


def _leave(_number: int, _frame: object) -> None:
    """SIGTERM ends whatever the main thread does, the ``finally`` above tidies up."""
    raise SystemExit(0)
