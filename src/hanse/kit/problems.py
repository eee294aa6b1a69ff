"""Problems: every error that leaves an API is one of these (RFC 7807, `application/problem+json`)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

MEDIA_TYPE = "application/problem+json"
TEXT_LIMIT = 2000
"""Characters that are read of the title and of the detail of a problem that somebody else answered."""
MARK = "hanse-problem"
"""Header of a problem that an element answers itself: who passes answers on can tell it from one of the content."""


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of an error answer (RFC 7807, 3.1)."""

    type: str = "about:blank"
    title: str = ""
    status: int = 500
    detail: str = ""
    instance: str = ""


class Problem(Exception):
    """An error with a meaning for the caller.

    ``title`` names the field or resource at fault, ``detail`` says what would be right. ``headers`` are added to the
    answer (``Allow``, ``Retry-After``, ``WWW-Authenticate``).
    """

    def __init__(self, status: int, title: str, detail: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {title}: {detail}" if detail else f"{status} {title}")
        self.status = status
        self.title = title
        self.detail = detail or title
        self.headers = headers or {}

    def details(self) -> ProblemDetails:
        """The problem as it goes on the wire."""
        return ProblemDetails(type="about:blank", title=self.title, status=self.status, detail=self.detail)

    def encode(self) -> bytes:
        """The JSON body; ``type`` is always written (RFC 7807 has a default, clients do not)."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        return msgspec.json.encode(body)

    @classmethod
    def decode(cls, status: int, body: bytes) -> Problem:
        """Read a problem that another element answered; anything unreadable still becomes a problem."""
        try:
            details = msgspec.json.decode(body, type=ProblemDetails)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            details = ProblemDetails()
        phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown status"
        return cls(status, details.title[:TEXT_LIMIT] or phrase, details.detail[:TEXT_LIMIT])


def bad_request(title: str, detail: str = "") -> Problem:
    """400: the request itself is wrong; ``title`` names the field."""
    return Problem(400, title, detail)


def unauthenticated(detail: str) -> Problem:
    """401: no credentials at all; such a challenge names no error (RFC 6750, 3.1)."""
    return Problem(401, "Not authenticated", detail, {"WWW-Authenticate": "Bearer"})


def unauthorized(detail: str) -> Problem:
    """401: credentials that do not (or no longer) hold."""
    return Problem(401, "Not authenticated", detail, {"WWW-Authenticate": 'Bearer error="invalid_token"'})


def forbidden(title: str, detail: str = "") -> Problem:
    """403: the caller is known and may not, or the state of the resource does not allow it."""
    return Problem(403, title, detail)


def not_found(kind: str, identifier: str) -> Problem:
    """404: no such resource."""
    return Problem(404, f"No such {kind}", f"there is no {kind} {identifier}")


def conflict(title: str, detail: str = "") -> Problem:
    """409: the state of the resource does not allow it now."""
    return Problem(409, title, detail)


def unreachable(peer: str, detail: str = "") -> Problem:
    """503: an element that is needed does not answer now."""
    return Problem(503, f"{peer} cannot be reached", detail, {"Retry-After": "1"})
