"""A procedure as two operators wrote it down: north asks south, south asks its own platform, which refuses."""

from __future__ import annotations

from typing import Any

from hanse.kit.contract.observe import Message


def message(span: str = "1", /, operator: str = "north", **members: Any) -> Message:
    """A call of 10 ms that began at 100.0, with what the test cares about."""
    usual: dict[str, Any] = {
        "operator": operator,
        "trace": f"trace-{operator}",
        "span": span,
        "reference_point": "Mm1",
        "sender": "oss",
        "receiver": "meo",
        "operation": "instantiate",
        "method": "POST",
        "path": "/instances",
        "status": 200,
        "began": 100.0,
    } | members
    return Message(**{"ended": usual["began"] + 0.01} | usual)


def north() -> list[Message]:
    """What north wrote down: the order, and the call that left."""
    return [
        message("n1", status=202, ended=100.25),
        message(
            "n2",
            parent="n1",
            reference_point="Mff-fed",
            sender="meo",
            receiver="south",
            operation="offers",
            method="GET",
            path="/offers",
            status=403,
            problem="Not shared",
            link="L1",
            side="sender",
            began=100.01,
            ended=100.03,
        ),
    ]


def south() -> list[Message]:
    """What south wrote down: the call that arrived, and what it led to."""
    return [
        message(
            "s1",
            "south",
            reference_point="Mff-fed",
            sender="north",
            receiver="fm",
            operation="offers",
            method="GET",
            path="/offers",
            status=403,
            problem="Zone of no agreement",
            link="L1",
            began=100.015,
            ended=100.02,
        ),
        message(
            "s2",
            "south",
            parent="s1",
            reference_point="Mm3",
            sender="fm",
            receiver="mep.quay",
            operation="services",
            method="GET",
            path="/services",
            began=100.016,
            ended=100.0165,
        ),
    ]


HOSTILE = "</text><script>alert(1)</script>;\n%%{init: {}}%%\x1b[31m # end & \"quoted\" 'x' \ud800 \x00"
"""A name that nobody should believe."""


def hostile() -> Message:
    """A failed call of which every text is hostile."""
    members = ("operator", "sender", "receiver", "reference_point", "operation", "method", "path", "problem")
    return message("1", **dict.fromkeys(members, HOSTILE), status=500)
