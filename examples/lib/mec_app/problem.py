"""Problems: how every HTTP interface in MEC tells what went wrong (RFC 7807, ETSI GS MEC 009)."""

from __future__ import annotations

import json
from http import HTTPStatus

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An error with a meaning for the caller: ``title`` names what is at fault, ``detail`` says what would be right."""

    def __init__(self, status: int, title: str, detail: str = "") -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail or title

    def body(self) -> bytes:
        """The problem as JSON, for an ``application/problem+json`` answer."""
        members = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        return json.dumps(members).encode()

    @classmethod
    def read(cls, status: int, body: bytes) -> Problem:
        """The problem somebody answered with; a body that is none still becomes a problem."""
        try:
            members = json.loads(body)
        except (ValueError, RecursionError):
            members = None
        if not isinstance(members, dict):
            members = {}
        phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else f"HTTP status {status}"
        return cls(status, str(members.get("title") or phrase), str(members.get("detail") or ""))
