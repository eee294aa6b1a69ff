"""A token endpoint on the wire (RFC 6749, 3.2): bounded like any other body, observed, and no way to fill a journal."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import msgspec

from hanse.assembly.refusals import Refusals
from hanse.kit.contract.answer import deliver, options_answer, problem_answer
from hanse.kit.contract.asgi import Answer, Receive, Scope, Send
from hanse.kit.contract.body import gathered
from hanse.kit.contract.call import NOBODY, new_span, new_trace
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.observe import Message
from hanse.kit.problems import Problem
from hanse.kit.tokens import TokenAnswer
from hanse.kit.tokens.form import parse_basic, parse_form

log = logging.getLogger("hanse.tokens")

TOKEN_PATH = "/oauth2/token"
"""Where token endpoints are."""
FORM_LIMIT = 64 * 1024
"""Bytes of a token request; longer ones are refused with 413."""
LONGEST_METHOD, LONGEST_PROBLEM = 16, 80
"""Characters of what a stranger chooses that go into a record."""
OPERATION = "token"
"""What a token request is called in the journal."""

Issue = Callable[[bytes, str | None, Scope], TokenAnswer]
"""The form, the Authorization header and the scope of the connection to an answer; may raise problems."""


class TokenEndpoint:
    """An ASGI application that answers ``POST`` with a form by ``issue``, and records whoever gets a token.

    Who was refused is nobody, for what it claimed to be was not shown, and may share a record with others
    (`Refusals`). Nothing of the request but its method and path goes into one: secrets come in forms, headers and, by
    mistake, in queries.
    """

    def __init__(self, issue: Issue, gate: Gate, reference_point: str) -> None:
        self._issue = issue
        self._gate = gate
        self._point = reference_point
        self._refusals = Refusals(gate.observer)

    async def close(self) -> None:
        """Record what was refused and is not recorded yet."""
        await self._refusals.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["method"] == "OPTIONS":
            await deliver(options_answer("POST"), scope, send)
            return
        began = time.time()
        client, problem = "", ""
        try:
            form, authorization = await _request(scope, receive)
            told = self._issue(form, authorization, scope)
            answer = _answer(told)
            if told.status == 200:
                client = _client(form, authorization)
            else:
                problem = msgspec.json.decode(told.body)["error"]
        except asyncio.CancelledError:
            self._record(scope, "", 499, "The caller went away", began)
            raise
        except Problem as refusal:
            answer, problem = problem_answer(refusal), refusal.title
        except Exception:
            log.exception("%s failed to issue a token", self._gate.name)
            answer, problem = problem_answer(self._broken()), self._broken().title
        self._record(scope, client, answer[0], problem, began)
        await deliver(answer, scope, send)

    def _broken(self) -> Problem:
        return Problem(500, "Internal error", f"no token was issued; the log of {self._gate.name} tells why")

    def _record(self, scope: Scope, client: str, status: int, problem: str, began: float) -> None:
        app = client if self._gate.role == "mep" else ""
        message = Message(
            operator=self._gate.operator,
            trace=new_trace(),
            span=new_span(),
            reference_point=self._point,
            sender=f"app.{app[:8]}" if app else client or NOBODY.name,
            receiver=self._gate.name,
            operation=OPERATION,
            method=scope["method"][:LONGEST_METHOD],
            path=scope["path"],
            status=status,
            problem=problem[:LONGEST_PROBLEM],
            app_instance_id=app,
            began=began,
            ended=time.time(),
        )
        if client:
            self._gate.observer.saw(message)
        else:
            self._refusals.saw(message, str((scope.get("client") or ("",))[0]))


async def _request(scope: Scope, receive: Receive) -> tuple[bytes, str | None]:
    """The form and the Authorization header of a token request."""
    if scope["method"] != "POST":
        raise Problem(405, f"Method {scope['method']} not supported", "POST a form", {"Allow": "POST"})
    headers = dict(scope["headers"])
    media = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if media != b"application/x-www-form-urlencoded":
        raise Problem(415, "Content-Type not supported", "send application/x-www-form-urlencoded")
    authorization = headers.get(b"authorization")
    return await gathered(receive, FORM_LIMIT), authorization.decode("latin-1") if authorization else None


def _answer(told: TokenAnswer) -> Answer:
    lines = [(name.lower().encode(), value.encode()) for name, value in told.headers.items()]
    return told.status, [*lines, (b"content-length", str(len(told.body)).encode())], told.body


def _client(form: bytes, authorization: str | None) -> str:
    """Whom a request that was granted names as its client."""
    basic = parse_basic(authorization) if authorization else None
    return basic[0] if basic else parse_form(form)["client_id"]
