"""What a token request says: its form and its Authorization header (RFC 6749, 2.3.1 and 3.2)."""

from __future__ import annotations

import base64
from urllib.parse import parse_qsl, unquote_plus

LONGEST_FORM = 8192
_MOST_FIELDS = 32


def parse_form(form: bytes) -> dict[str, str]:
    """The parameters of an ``application/x-www-form-urlencoded`` body; empty ones count as left out.

    Raises ``ValueError``, with what is wrong, for a body that is too long, not UTF-8, or names a parameter twice.
    """
    if len(form) > LONGEST_FORM:
        raise ValueError(f"the form may have up to {LONGEST_FORM} bytes")
    try:
        pairs = parse_qsl(form.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise ValueError(f"the body must be a form in UTF-8 with up to {_MOST_FIELDS} parameters") from error
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise ValueError("each parameter may be given once")
    return {name: value for name, value in parameters.items() if value}


def parse_basic(header: str) -> tuple[str, str] | None:
    """Client id and secret of an ``Authorization: Basic`` header; ``None`` if it is another or a malformed one.

    Both are form-encoded before they are joined (RFC 6749, 2.3.1).
    """
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
        return (unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")) if colon else None
    except ValueError:
        return None
