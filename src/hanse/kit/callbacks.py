"""Callbacks: posting to an address that came with a subscription."""

from __future__ import annotations

import asyncio
import time

import msgspec

from hanse.kit.contract.call import Caller, current_call, new_span
from hanse.kit.contract.observe import Message, Observer
from hanse.kit.failpoints import effect
from hanse.kit.fairness import Room
from hanse.kit.posting import Poster, Unwanted
from hanse.kit.problems import Problem, forbidden, unreachable
from hanse.kit.receivers import ANYWHERE, Receivers
from hanse.kit.values import Value

PATIENCE = 5.0
"""Seconds that a receiver may take; a slow one delays only its own lane."""
NOT_YET = frozenset((401, 403, 404, 405))
"""What a receiver may answer that is only just starting: it is told again as long as one that does not answer."""
PROMPT = 0.3
"""Seconds after which a receiver counts as slow, and no longer takes up room that others could use."""
AT_ONCE = 200
"""Posts to prompt receivers at the same time, and as many to slow ones."""


class CallbackTo(Value):
    """Something to be posted: where to, the JSON body, the receiver's name for records, the trace it is in."""

    url: str
    body: str
    receiver: str
    trace: str = ""

    @classmethod
    def of(cls, url: str, value: msgspec.Struct, receiver: str) -> CallbackTo:
        """``value`` for the receiver at ``url``."""
        body = msgspec.json.encode(value).decode()
        return cls(url=url, body=body, receiver=receiver, trace=current_call().trace)


class Callbacks:
    """Delivers what an outbox holds: any 2xx is taken, anything else is a problem.

    It has the receiver's status, or 503 where that may be another one soon.
    """

    def __init__(
        self, caller: Caller, reference_point: str, observer: Observer, receivers: Receivers = ANYWHERE
    ) -> None:
        self.receivers = receivers
        """Where callbacks may go; those who take addresses from others ask it first."""
        self._caller = caller
        self._reference_point = reference_point
        self._observer = observer
        self._poster = Poster(receivers.is_inside)
        self._room = Room(AT_ONCE, PROMPT)

    async def deliver(self, event: bytes) -> None:
        """Post one event (handler of an outbox topic)."""
        to = msgspec.json.decode(event, type=CallbackTo)
        began, status = time.time(), 503
        try:
            async with self._room.place(to.url):
                status = await self._post(to)
            if status >= 300:
                refusal = 503 if status in NOT_YET else status
                raise Problem(refusal, "Callback refused", f"{to.receiver} answered {status}")
        finally:
            self._record(to, status, began)

    @effect("mp1.callback")
    async def _post(self, to: CallbackTo) -> int:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._poster.post(to.url, to.body.encode())
        except TimeoutError:
            raise Problem(504, f"{to.receiver} does not answer", f"no answer within {PATIENCE} s") from None
        except Unwanted as error:
            raise forbidden("Not allowed: callbackReference", f"{to.receiver}: {error}") from None
        except (OSError, ValueError) as error:
            raise unreachable(to.receiver, str(error)) from None

    def _record(self, to: CallbackTo, status: int, began: float) -> None:
        self._observer.saw(
            Message(
                operator=self._caller.operator,
                trace=to.trace,
                span=new_span(),
                reference_point=self._reference_point,
                sender=self._caller.name,
                receiver=to.receiver,
                operation="callback",
                method="POST",
                path="callback",
                status=status,
                began=began,
                ended=time.time(),
                side="sender",
            )
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()
