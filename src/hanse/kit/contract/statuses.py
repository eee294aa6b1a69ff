"""Which statuses an operation may be answered with: its own, and those of its kind (ETSI GS MEC 009 V3.1.1, annex E).

405 is not among them: it answers a method that is no operation, nor HEAD, which wherever there is GET has its statuses.
"""

from __future__ import annotations

import typing

from hanse.kit.contract.declare import Operation, Stream, Tagged
from hanse.kit.contract.exchange import Exchange

EVERYWHERE = (400, 401, 403, 404, 414, 429)
"""A query or path that nobody takes, no credentials, another's resource, an unknown URI, a URI too long, too often."""
OF_BODIES = (413, 415)
"""A body too large, and one of another media type."""
SLOW = 408
"""A body that does not arrive in time."""
NOT_ACCEPTABLE = 406


def answers(operation: Operation) -> tuple[int, ...]:
    """Statuses of successes, then of refusals, each in order; what passes others' answers on has only its own."""
    return (*successes(operation), *refusals(operation))


def successes(operation: Operation) -> tuple[int, ...]:
    """The declared one, and what becomes of it: 204 without content, 206 of a part, 304 of what is unchanged."""
    found = {operation.success}
    if type(None) in typing.get_args(operation.returns):
        found.add(204)
    if 416 in operation.refuses:
        found.add(206)
    if operation.method == "GET" and typing.get_origin(operation.returns) is Tagged:
        found.add(304)
    return tuple(sorted(found))


def refusals(operation: Operation) -> tuple[int, ...]:
    """What the operation refuses, and what is refused of every operation of its kind."""
    found = set(operation.refuses)
    if operation.body is not Exchange:
        found |= {*EVERYWHERE, NOT_ACCEPTABLE}
        if operation.body is not None:
            found |= {*OF_BODIES, SLOW}
    return tuple(sorted(found))


def has_json_body(operation: Operation) -> bool:
    """Whether a request carries a JSON value."""
    return operation.body not in (None, Stream, Exchange)
