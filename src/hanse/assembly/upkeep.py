"""What keeps an operator that runs for months in order: how long its certificates live."""

from __future__ import annotations

from datetime import timedelta

from hanse.assembly.limits import Check
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
