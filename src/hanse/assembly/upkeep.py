"""What keeps an operator in order that runs for months: certificates, callbacks, and what is kept for how long."""

from __future__ import annotations

from datetime import timedelta

from hanse.assembly.limits import Check
from hanse.kit.receivers import mistake
from hanse.kit.values import Value

_DAY = 86_400.0
_MIB = 2**20


class CertificateSettings(Value, forbid_unknown_fields=True, rename={}):
    """``[certificates]``: days that certificates of elements and of the operator live; renewed after two thirds.

    The authority itself lives ten years: partners and apps hold it.
    """

    days: float = 90.0

    @property
    def lifetime(self) -> timedelta:
        """As a duration."""
        return timedelta(days=self.days)

    def checks(self) -> list[Check]:
        """What must hold of the values."""
        return [("certificates.days", "more than 0, up to 825", 0 < self.days <= 825)]


class CallbackSettings(Value, forbid_unknown_fields=True, rename={}):
    """``[callbacks]``: where notifications may go besides an app's own address and those of the operator's devices.

    ``allow``: addresses, networks (``192.0.2.0/24``), host names, also ``*.example.com``. ``authorities``: PEM files of
    authorities that https receivers may be certified by, besides the public ones; they are read at start.
    """

    allow: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()

    def checks(self) -> list[Check]:
        """What must hold of the values."""
        return [(f"callbacks.allow {word!r}", mistake(word), not mistake(word)) for word in self.allow]


class RetentionSettings(Value, forbid_unknown_fields=True, rename={}):
    """``[retention]``: how long what has ended is kept, in days, and how large files grow, in MiB.

    ``operations``: operation occurrences (MEC 010-2, 5.4.2) after their end, ``procedures``: the log of the procedures
    that carried them out. ``journal``: what crossed the reference points; ``log``: what processes write of themselves.
    Of both kinds each process has a file of that size and an older one.
    """

    operations: float = 30.0
    procedures: float = 7.0
    journal: int = 16
    log: int = 16

    @property
    def operations_seconds(self) -> float:
        """As seconds."""
        return self.operations * _DAY

    @property
    def procedures_seconds(self) -> float:
        """As seconds."""
        return self.procedures * _DAY

    @property
    def journal_bytes(self) -> int:
        """As bytes of one file."""
        return self.journal * _MIB

    @property
    def log_bytes(self) -> int:
        """As bytes of one file."""
        return self.log * _MIB

    def checks(self) -> list[Check]:
        """What must hold of the values."""
        return [
            ("retention.operations", "0.1 or more days", self.operations >= 0.1),
            ("retention.procedures", "0.1 or more days", self.procedures >= 0.1),
            ("retention.journal", "1 to 4096 MiB", 1 <= self.journal <= 4096),
            ("retention.log", "1 to 4096 MiB", 1 <= self.log <= 4096),
        ]
