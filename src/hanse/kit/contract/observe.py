"""What an observer sees: one message per call, whichever way it was wired."""

from __future__ import annotations

from typing import Protocol

from hanse.kit.values import Value


class Message(Value):
    """A call that crossed a reference point, as one of its ends saw it.

    ``sender`` and ``receiver`` are element names (``mep.harbour``, ``app.3f2a…``, ``south``); ``trace`` joins the
    messages of one procedure inside an operator, ``link`` is the only mark that also the partner knows: it joins the
    message that left one operator with the message that arrived at the other. Times are Unix seconds. ``status`` is
    the HTTP status that the call has, or would have had in a direct wiring. ``count``: calls like this one for which it
    stands; the others were not recorded each by itself.
    """

    operator: str
    trace: str
    span: str
    reference_point: str
    sender: str
    receiver: str
    operation: str
    method: str
    path: str
    parent: str = ""
    link: str = ""
    status: int = 0
    problem: str = ""
    app_instance_id: str = ""
    began: float = 0.0
    ended: float = 0.0
    side: str = "receiver"
    count: int = 1


class Observer(Protocol):
    """Sees every call once, after it ended. Must not block and must not raise."""

    def saw(self, message: Message) -> None:
        """Take note of a message."""


class Silence:
    """An observer that looks away."""

    def saw(self, message: Message) -> None:
        """Do nothing."""
