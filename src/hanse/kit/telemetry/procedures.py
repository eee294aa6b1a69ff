"""Procedures: the messages that belong together, and how to find the ones that matter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from hanse.kit.contract.observe import Message
from hanse.kit.telemetry.join import Crossing
from hanse.kit.values import Value

DEEPEST = 100
"""Calls within calls that are followed; a journal that claims more has a loop in it."""


class Procedure(Value):
    """One run of something, across elements and operators; ``messages`` are in the order in which they began."""

    name: str
    messages: list[Message]

    @property
    def began(self) -> float:
        """Unix seconds of the first call."""
        return self.messages[0].began

    @property
    def seconds(self) -> float:
        """From the first call until the last answer."""
        return max(0.0, max(m.ended for m in self.messages) - self.began)

    @property
    def failed(self) -> bool:
        """Whether the call that began it was refused (a call inside may fail and be made good)."""
        return self.messages[0].status >= 400


class Filter(Value):
    """What to look for; empty members admit everything.

    ``reference_point`` and ``operation`` are compared without case. ``app_instance_id`` may be only the beginning of
    one; it is looked for in the caller's identity, in both ends' names (``app.<id>``) and in the path. ``text`` is
    looked for in all that is drawn of a message.
    """

    reference_point: str = ""
    app_instance_id: str = ""
    operation: str = ""
    text: str = ""

    def admits(self, message: Message) -> bool:
        """Whether a message has all that is asked for."""
        return (
            self.reference_point.casefold() in ("", message.reference_point.casefold())
            and self.operation.casefold() in ("", message.operation.casefold())
            and any(part.startswith(self.app_instance_id) for part in _places_of_an_app(message))
            and self.text.casefold() in _words(message).casefold()
        )


def procedures(messages: Iterable[Message]) -> list[Procedure]:
    """Group joined messages by trace, and by link across borders; the newest procedure is last."""
    messages = list(messages)
    sets = _Sets()
    for message in messages:
        first, *others = _marks(message)
        for other in others:
            sets.unite(first, other)
    groups: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        groups[sets.find(_marks(message)[0])].append(message)
    return sorted((_procedure(group) for group in groups.values()), key=lambda p: p.began)


def containing(found: Sequence[Procedure], wanted: Filter) -> list[Procedure]:
    """The procedures in which at least one message is admitted, whole."""
    return [p for p in found if any(wanted.admits(m) for m in p.messages)]


def _procedure(group: list[Message]) -> Procedure:
    ordered = _in_order(group)
    first = ordered[0]
    return Procedure(name=f"{first.operation} ({first.reference_point}, {first.sender})", messages=ordered)


def _marks(message: Message) -> list[str]:
    marks = [f"trace {message.trace}" if message.trace else f"span {message.operator} {message.span}"]
    if message.link:
        marks.append(f"link {message.link}")
    if isinstance(message, Crossing) and message.far_trace:
        marks.append(f"trace {message.far_trace}")
    return marks


def _in_order(group: list[Message]) -> list[Message]:
    """By time, but no call before the one that it is part of: clocks are coarse, and operators' clocks differ."""
    by_span = {(m.operator, m.span): m for m in group}
    by_span |= {(m.far_operator, m.far_span): m for m in group if isinstance(m, Crossing)}

    def key(message: Message) -> tuple[float, int]:
        began, depth = message.began, 0
        parent = by_span.get((message.operator, message.parent))
        while parent is not None and depth < DEEPEST:
            began, depth = max(began, parent.began), depth + 1
            parent = by_span.get((parent.operator, parent.parent))
        return began, depth

    return sorted(group, key=key)


def _places_of_an_app(m: Message) -> list[str]:
    ends = [name.removeprefix("app.") for name in (m.sender, m.receiver)]
    return [m.app_instance_id, *ends, *m.path.split("/")]


def _words(m: Message) -> str:
    return " ".join((m.sender, m.receiver, m.reference_point, m.operation, m.method, m.path, str(m.status), m.problem))


class _Sets:
    """Disjoint sets of marks."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, mark: str) -> str:
        root = mark
        while (above := self._parent.get(root, root)) != root:
            root = above
        while mark != root:
            self._parent[mark], mark = root, self._parent[mark]
        return root

    def unite(self, one: str, other: str) -> None:
        self._parent[self.find(one)] = self.find(other)
