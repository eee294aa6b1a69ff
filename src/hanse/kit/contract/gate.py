"""The gate of an element: every call on it passes here, whichever way it was wired."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from hanse.kit.contract.call import UNTRACED, Call, new_trace, serving
from hanse.kit.contract.declare import Accepted, Api, Created, Operation, Stream
from hanse.kit.contract.exchange import Exchange
from hanse.kit.contract.guard import Guard
from hanse.kit.contract.observe import Message, Observer
from hanse.kit.problems import Problem

log = logging.getLogger("hanse.gate")


@dataclass(frozen=True, slots=True)
class Gate:
    """Guards and observes one element: its role (``mep``), its name (``mep.harbour``) and its operator."""

    role: str
    name: str
    operator: str
    guard: Guard
    observer: Observer

    async def run(
        self,
        api: type[Api],
        operation: Operation,
        function: Callable[..., Awaitable[Any]],
        arguments: dict[str, Any],
        call: Call,
        path: str,
        point: str = "",
    ) -> Any:
        """Authorise, run and record one call; only problems come out of it.

        ``point`` is the reference point of a call that `check` has let through.
        """
        began = time.time()
        status, problem = operation.success, ""
        try:
            point = point or self.guard.admit(api, self.role, operation.name, call.caller, arguments, self.operator)
            with serving(call):
                result = await function(**arguments)
            status = status_of(result, operation)
            return result
        except Problem as refusal:
            status, problem = refusal.status, refusal.title
            raise
        except asyncio.CancelledError:
            status, problem = 499, "The caller went away"
            raise
        except Exception as error:
            log.exception("%s failed in %s", self.name, operation.name)
            status, problem = 500, "Internal error"
            raise Problem(
                500, "Internal error", f"{operation.name} failed; the log of {self.name} tells why"
            ) from error
        finally:
            self._record(operation, arguments, call, path, point, status, problem, began)

    def check(self, api: type[Api], operation: Operation, arguments: dict[str, Any], call: Call, path: str) -> str:
        """Refuse, and record, before the body is read: who may not call learns nothing about what it should look like.

        ``arguments`` are those of the path; the guard asks for no others. The reference point of a call that it lets
        through.
        """
        began = time.time()
        try:
            return self.guard.admit(api, self.role, operation.name, call.caller, arguments, self.operator)
        except Problem as refusal:
            self._record(operation, arguments, call, path, "", refusal.status, refusal.title, began)
            raise

    def _record(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        call: Call,
        path: str,
        point: str,
        status: int,
        problem: str,
        began: float,
    ) -> None:
        if _passes_unseen(call, operation, status):
            return
        self.observer.saw(
            Message(
                operator=self.operator,
                trace=new_trace() if call.trace == UNTRACED else call.trace,
                span=call.span,
                parent=call.parent,
                link="" if call.link == UNTRACED else call.link,
                reference_point=point or "refused",
                sender=call.caller.name,
                receiver=self.name,
                operation=operation.name,
                method=method_of(operation, arguments),
                path=path,
                status=status,
                problem=problem,
                app_instance_id=call.caller.subject if call.caller.role == "app" else "",
                began=began,
                ended=time.time(),
            )
        )


def _passes_unseen(call: Call, operation: Operation, status: int) -> bool:
    """Whether a call that asks not to be recorded is not: nobody from outside does or tries anything unseen."""
    if call.trace != UNTRACED:
        return False
    looks = operation.method == "GET" or operation.routine
    return call.caller.trusted or (looks and status < 400)


def method_of(operation: Operation, arguments: dict[str, Any]) -> str:
    """The HTTP method of a call; an operation that passes any request on has that of the request."""
    if operation.method != "*":
        return operation.method
    return next((value.method for value in arguments.values() if isinstance(value, Exchange)), "*")


def status_of(result: Any, operation: Operation) -> int:
    """The HTTP status that a result has on the wire."""
    if isinstance(result, Stream):
        return result.status
    if isinstance(result, Created):
        return 201
    if isinstance(result, Accepted):
        return 202
    return 204 if result is None and operation.success == 200 else operation.success
