"""Writing a call as an HTTP request: its path, its query, and the headers that carry the `Call` along."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from hanse.kit.contract.call import UNTRACED, Call, new_span, new_trace
from hanse.kit.contract.declare import Operation
from hanse.kit.problems import Problem


def quoted(operation: Operation, name: str, value: str) -> str:
    """A path parameter in a URI; ``{name*}`` takes the rest of a path as it is, encoded already."""
    if "{" + name + "*}" in operation.path:
        return quote(value, safe="%/:@!$&'()*+,;=~")
    if not value:
        raise Problem(404, f"No {name} given", f"{operation.name} needs one; an empty one names nothing")
    return quote(value, safe="")


def encode_query(query: Any) -> str:
    """A query struct as it stands in a URI; absent parameters are left out."""
    if query is None:
        return ""
    pairs: list[tuple[str, str]] = []
    for name, value in msgspec.to_builtins(query).items():
        if value is None:
            continue
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [(name, str(v).lower() if isinstance(v, bool) else str(v)) for v in values]
    return urlencode(pairs)


def fresh_link(call: Call) -> str:
    """A trace id that tells a partner nothing of ours; what is not traced stays so."""
    return UNTRACED if call.trace == UNTRACED else new_trace()


def call_headers(call: Call, link: str) -> dict[str, str]:
    """Trace, patience, tenant and key of a call; across a border nothing but a link."""
    if link:
        return {"traceparent": f"00-{link}-{new_span()}-01", "accept": "application/json"}
    headers = {
        "traceparent": f"00-{call.trace}-{call.span}-01",
        "hanse-patience": f"{call.remaining():.3f}",
        "accept": "application/json",
    }
    if call.tenant:
        headers["hanse-tenant"] = call.tenant
    if call.idempotency_key:
        headers["idempotency-key"] = call.idempotency_key
    return headers
