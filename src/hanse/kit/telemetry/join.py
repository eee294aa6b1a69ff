"""From what two ends saw to what happened: one arrow a call, also where the call crossed a border."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from msgspec.structs import asdict, replace

from hanse.kit.contract.observe import Message


class Crossing(Message, kw_only=True):
    """A call from one operator to another, put together from the journals of both.

    Sender, status and times are the calling operator's (``operator``), receiver is the called one's (``far_operator``);
    each has a trace and a span of its own for it.
    """

    far_operator: str
    far_trace: str
    far_span: str


def join(sightings: Iterable[Message]) -> list[Message]:
    """Every call once, in the order in which they began.

    Two sightings of one span in one operator are the two ends of a call: the receiver's stays. Two sightings of one
    link in two operators are a departure and its arrival: they become a ``Crossing``.
    """
    linked: dict[str, list[Message]] = defaultdict(list)
    calls: list[Message] = []
    for message in _one_per_span(sightings):
        if message.link:
            linked[message.link].append(message)
        else:
            calls.append(message)
    for group in linked.values():
        calls += _pair(group)
    return sorted(calls, key=lambda m: m.began)


def _one_per_span(sightings: Iterable[Message]) -> list[Message]:
    seen: dict[tuple[str, str], Message] = {}
    for message in sightings:
        key = (message.operator, message.span)
        other = seen.get(key)
        seen[key] = message if other is None else _better(other, message)
    return list(seen.values())


def _better(one: Message, other: Message) -> Message:
    """The receiver's view, with the marks that only the sender could set."""
    best, rest = (one, other) if one.side == "receiver" else (other, one)
    return replace(
        best,
        link=best.link or rest.link,
        parent=best.parent or rest.parent,
        app_instance_id=best.app_instance_id or rest.app_instance_id,
    )


def _pair(group: list[Message]) -> list[Message]:
    """Departures with the first arrival elsewhere; a broker may pass a link on, a retry may use it again."""
    group = sorted(group, key=lambda m: m.began)
    arrivals = [m for m in group if m.side == "receiver"]
    joined: list[Message] = []
    for departure in (m for m in group if m.side != "receiver"):
        arrival = next((a for a in arrivals if a.operator != departure.operator), None)
        if arrival is None:
            joined.append(departure)
        else:
            arrivals.remove(arrival)
            joined.append(_cross(departure, arrival))
    return joined + arrivals


def _cross(departure: Message, arrival: Message) -> Crossing:
    common = asdict(departure) | {
        "receiver": arrival.receiver,
        "problem": departure.problem or arrival.problem,
        "app_instance_id": departure.app_instance_id or arrival.app_instance_id,
    }
    return Crossing(**common, far_operator=arrival.operator, far_trace=arrival.trace, far_span=arrival.span)
