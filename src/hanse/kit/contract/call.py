"""The call: who asks, for whom, until when, and as a part of what. It goes along in every wiring."""

from __future__ import annotations

import os
import random
import secrets
import time
from collections.abc import Sequence
from contextvars import ContextVar

import msgspec
from msgspec.structs import replace

from hanse.kit.problems import Problem

UNTRACED = "0" * 32
"""The trace of calls that are repeated all the time and would drown the others: signs of life, polling."""

DEFAULT_PATIENCE = 30.0
"""Seconds that a call may take if its caller does not say."""


class Caller(msgspec.Struct, frozen=True):
    """An authenticated caller.

    ``role`` decides what it may do, ``name`` is how it appears in records, ``subject`` is what is its own: an
    application instance id, a tenant, a partner. A ``trusted`` one, an element of the operator, may speak for a tenant.
    """

    role: str
    name: str
    operator: str
    subject: str = ""
    trusted: bool = False


NOBODY = Caller(role="nobody", name="nobody", operator="")


class Call(msgspec.Struct, frozen=True):
    """One call on its way. ``deadline`` is a Unix time; ``link`` is the mark that a partner sees, not ``trace``.

    ``tenant`` is for whom it is made, if not for the caller itself: a customer behind the OSS, a partner behind the
    border. ``peer`` is the far end of the connection that the caller serves by it, as the caller sees it and claims.
    ``base`` is the path below which it was asked for, if it came over HTTP: some APIs have several.
    """

    caller: Caller
    trace: str
    span: str
    parent: str = ""
    link: str = ""
    deadline: float = 0.0
    idempotency_key: str = ""
    if_match: str = ""
    tenant: str = ""
    peer: str = ""
    base: str = ""

    def remaining(self) -> float:
        """Seconds until the deadline; a problem 504 if it has passed."""
        left = self.deadline - time.time()
        if left <= 0:
            raise Problem(504, "Deadline passed", "the caller no longer waits for this answer")
        return left


_current: ContextVar[Call | None] = ContextVar("hanse_call", default=None)
_random = random.Random(secrets.randbits(256))  # ids are no secrets; to ask the kernel for each would cost more
os.register_at_fork(after_in_child=lambda: _random.seed(secrets.randbits(256)))


def new_trace() -> str:
    """A trace id: 32 hexadecimal digits (W3C Trace Context)."""
    return f"{_random.getrandbits(128) or 1:032x}"


def new_span() -> str:
    """A span id: 16 hexadecimal digits (W3C Trace Context)."""
    return f"{_random.getrandbits(64) or 1:016x}"


def first_call(caller: Caller = NOBODY) -> Call:
    """A call that nothing led to: the beginning of a trace."""
    return Call(caller=caller, trace=new_trace(), span=new_span(), deadline=time.time() + DEFAULT_PATIENCE)


def current_call() -> Call:
    """The call that is being served now, or a fresh one outside of any."""
    return _current.get() or first_call()


def next_call(caller: Caller) -> Call:
    """The call that ``caller`` makes as a consequence of the one it is serving."""
    now = current_call()
    return replace(now, caller=caller, span=new_span(), parent=now.span, if_match="", link="", peer="", base="")


class serving:  # noqa: N801 (a word of its users' sentences, and a class because every call passes here)
    """Make ``call`` the current one."""

    __slots__ = ("_call", "_token")

    def __init__(self, call: Call) -> None:
        self._call = call

    def __enter__(self) -> None:
        self._token = _current.set(self._call)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def continuing(
    trace: str = "", *, idempotency_key: str = "", patience: float | None = None, tenant: str | None = None
) -> serving:
    """Make calls from here on part of ``trace`` (empty: of the current one), repeatable under a key, for a tenant.

    ``patience`` is in seconds from now; without it the deadline stays as it is.
    """
    now = current_call()
    call = replace(
        now,
        trace=trace or now.trace,
        idempotency_key=idempotency_key,
        deadline=now.deadline if patience is None else time.time() + patience,
        tenant=now.tenant if tenant is None else tenant,
    )
    return serving(call)


def asked_below(bases: Sequence[str]) -> str:
    """That of an API's ``bases`` below which the current call was asked for; the first if it came by none of them."""
    asked = current_call().base
    return next((base for base in bases if asked.endswith(base)), bases[0])


def require_match(tag: str) -> None:
    """Refuse the current call with 412 if its ``If-Match`` names another representation than ``tag``.

    That of a resource whose representations have no tag (empty) is named by none (RFC 9110, 13.1.1).
    """
    wanted = current_call().if_match
    if not wanted or wanted.strip() == "*":
        return
    if not tag:
        raise Problem(412, "If-Match does not hold", "the resource has no entity tag; leave If-Match out, or say *")
    if f'"{tag}"' not in [part.strip() for part in wanted.split(",")]:
        raise Problem(412, "If-Match does not hold", "the resource has changed; GET it again and repeat the change")
