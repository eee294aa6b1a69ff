"""Callbacks: posting to an address that came with a subscription."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable

import msgspec

from hanse.kit.contract.call import Caller, current_call, new_span
from hanse.kit.contract.observe import Message, Observer
from hanse.kit.failpoints import effect
from hanse.kit.fairness import Room
from hanse.kit.posting import Poster, Unwanted, target_of
from hanse.kit.problems import Problem, forbidden, unreachable
from hanse.kit.receivers import ANYWHERE, Receivers
from hanse.kit.recent import Recent
from hanse.kit.values import Value

log = logging.getLogger("hanse.callbacks")

PATIENCE = 5.0
"""Seconds that a receiver may take; a slow one delays only its own lane."""
NOT_YET = frozenset((401, 403, 404, 405))
"""What a receiver may answer that is only just starting: it is told again as long as one that does not answer."""
PROMPT = 0.3
"""Seconds after which a receiver counts as slow, and no longer takes up room that others could use."""
MOST_DISTRUSTED = 1000
"""Receivers of which is remembered that the log says why they are not trusted."""
AT_ONCE = 200
"""Posts to prompt receivers at the same time, and as many to slow ones."""


class CallbackTo(Value, gc=False):
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
        self,
        caller: Caller,
        reference_point: str,
        observer: Observer,
        receivers: Receivers = ANYWHERE,
        trust: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self.receivers = receivers
        """Where callbacks may go; those who take addresses from others ask it first."""
        self._caller = caller
        self._reference_point = reference_point
        self._observer = observer
        self._poster = Poster(receivers.is_inside, trust)
        self._distrusted: Recent[str, str] = Recent(MOST_DISTRUSTED)
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
        except ssl.SSLCertVerificationError as error:
            raise self._distrust(to, error.verify_message) from None
        except (OSError, ValueError) as error:
            raise unreachable(to.receiver, str(error)) from None

    def _distrust(self, to: CallbackTo, reason: str) -> Problem:
        """Said in the log once for each receiver and reason: it is tried for long, and nobody else would learn why."""
        scheme, host, port = target_of(to.url).origin
        origin = f"{scheme}://{host}:{port}"
        detail = f"{origin} is not trusted: {reason} (callbacks.authorities adds authorities to the public ones)"
        if self._distrusted.find(origin) != reason:
            self._distrusted.keep(origin, reason)
            log.warning("%s is not told: %s", to.receiver, detail)
        return unreachable(to.receiver, detail)

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
