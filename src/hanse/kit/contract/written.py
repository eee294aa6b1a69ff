"""Writing a whole answer in one piece, past the messages of ASGI."""

from __future__ import annotations

import re

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from hanse.kit.contract.dates import today
from hanse.kit.contract.spelling import beginning

_BREAKS_HEADER = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_WITHOUT_CONTENT = (204, 304)


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
        if cycle.flow.write_paused:
            return False
        lines = [STATUS_LINE[status], b"Date: ", today(), b"\r\n"]
        sized, closing = False, not cycle.keep_alive
        for name, value in headers:
            if name == b"connection":  # nothing else is ever said in one than that it ends
                closing = True
                continue
            if _BREAKS_HEADER.search(value):
                return False
            sized = sized or name == b"content-length"
            lines += (beginning(name), value, b"\r\n")
        if not sized and status not in _WITHOUT_CONTENT:
            return False
        if closing:
            lines.append(b"Connection: close\r\n")
        lines += (b"\r\n", b"" if cycle.scope["method"] == "HEAD" else body)
        self._end(b"".join(lines), closing)
        return True

    def _end(self, answer: bytes, closing: bool) -> None:
        cycle = self._cycle
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(answer)
        cycle.message_event.set()
        if closing:
            cycle.keep_alive = False
            cycle.transport.close()
        cycle.on_response()
