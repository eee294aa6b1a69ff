"""Writing a whole answer in one piece, past the messages of ASGI."""

from __future__ import annotations

import re

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_BREAKS_HEADER = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class Written:
    """What is written to the client of one request: the ``AtOnce`` of our listener."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    def gone(self) -> bool:
        """Whether nobody is there to read: uvicorn lets go of what is written then, without a word.

        It is told, too: of a request that others were sent behind it would not learn it, and tell the log of a fault.
        """
        if self._cycle.transport.is_closing():
            self._cycle.disconnected = True
        return self._cycle.disconnected

    def __call__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        """Write an answer in one piece, which costs a third of two ASGI messages; false for what is not plain."""
        cycle = self._cycle
        if cycle.disconnected:
            return True
        if cycle.flow.write_paused or not cycle.keep_alive or cycle.scope["method"] == "HEAD" or not body:
            return False
        lines = [STATUS_LINE[status]]
        sized = False
        for name, value in headers:
            if name == b"connection" or _BREAKS_HEADER.search(value):
                return False
            sized = sized or name == b"content-length"
            lines += (name, b": ", value, b"\r\n")
        if not sized:
            return False
        lines += (b"\r\n", body)
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(b"".join(lines))
        cycle.message_event.set()
        cycle.on_response()
        return True
