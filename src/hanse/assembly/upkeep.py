"""What keeps an operator in order that runs for months: certificates that end, callbacks that lead where they may."""

from __future__ import annotations

from datetime import timedelta

from hanse.assembly.limits import Check
from hanse.kit.receivers import mistake
from hanse.kit.values import Value


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

    ``allow``: addresses, networks (``192.0.2.0/24``), host names, also ``*.example.com``.
    """

    allow: tuple[str, ...] = ()

    def checks(self) -> list[Check]:
        """What must hold of the values."""
        return [(f"callbacks.allow {word!r}", mistake(word), not mistake(word)) for word in self.allow]
