"""A procedure as a sequence of arrows between participants: what every drawing of it has in common."""

from __future__ import annotations

from hanse.kit.contract.observe import Message
from hanse.kit.telemetry.join import Crossing
from hanse.kit.telemetry.labels import clean, duration
from hanse.kit.telemetry.procedures import Procedure
from hanse.kit.values import Value


class Participant(Value):
    """An element of an operator; all of a partner that keeps its journals to itself is one participant."""

    operator: str
    name: str


class Arrow(Value):
    """A call; ``source`` and ``target`` are columns, texts are clean but not escaped for any markup."""

    number: int
    source: int
    target: int
    reference_point: str
    operation: str
    method: str
    path: str
    status: int
    problem: str
    took: str

    @property
    def failed(self) -> bool:
        """Whether the call was refused or not answered."""
        return self.status >= 400 or self.status == 0

    @property
    def outcome(self) -> str:
        """The status, or that there is none."""
        return str(self.status) if self.status else "no answer"

    @property
    def request(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}".strip()


class Group(Value):
    """An operator and its columns, ``first`` to ``last``."""

    operator: str
    first: int
    last: int


class Sequence(Value):
    """Columns in the order of first appearance, those of one operator side by side."""

    title: str
    participants: list[Participant]
    groups: list[Group]
    arrows: list[Arrow]


def sequence(procedure: Procedure) -> Sequence:
    """Lay a procedure out."""
    pairs = [ends(message) for message in procedure.messages]
    participants = _columns([end for pair in pairs for end in pair])
    column = {participant: i for i, participant in enumerate(participants)}
    return Sequence(
        title=_title(procedure),
        participants=participants,
        groups=_groups(participants),
        arrows=[
            _arrow(number, message, column[source], column[target])
            for number, (message, (source, target)) in enumerate(zip(procedure.messages, pairs, strict=True), start=1)
        ],
    )


def ends(message: Message) -> tuple[Participant, Participant]:
    """Sender and receiver; the far end of a border of which only one side is known stands for its whole operator."""
    here = message.operator
    sender, receiver = clean(message.sender), clean(message.receiver)
    source, target = here, here
    if isinstance(message, Crossing):
        target = message.far_operator
    elif message.link and message.side == "receiver":
        source = sender
    elif message.link:
        target = receiver
    return Participant(operator=clean(source), name=sender), Participant(operator=clean(target), name=receiver)


def _columns(appearing: list[Participant]) -> list[Participant]:
    operators = list(dict.fromkeys(p.operator for p in appearing))
    return sorted(dict.fromkeys(appearing), key=lambda p: operators.index(p.operator))


def _groups(participants: list[Participant]) -> list[Group]:
    names = [p.operator for p in participants]
    last = {name: i for i, name in enumerate(names)}
    return [Group(operator=name, first=names.index(name), last=last[name]) for name in dict.fromkeys(names)]


def _title(procedure: Procedure) -> str:
    count = len(procedure.messages)
    calls = "1 call" if count == 1 else f"{count} calls"
    return f"{clean(procedure.name)} · {calls} · {duration(procedure.seconds)}"


def _arrow(number: int, message: Message, source: int, target: int) -> Arrow:
    return Arrow(
        number=number,
        source=source,
        target=target,
        reference_point=clean(message.reference_point),
        operation=clean(message.operation),
        method=clean(message.method),
        path=clean(message.path),
        status=message.status,
        problem=clean(message.problem),
        took=duration(message.ended - message.began),
    )
