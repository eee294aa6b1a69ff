"""What apps may make of their traffic and DNS rules over Mp1 (``[rules]``)."""

from __future__ import annotations

from ipaddress import ip_network

from hanse.assembly.limits import Check
from hanse.elements.mep.app_rules.limits import Changes
from hanse.elements.mep.app_rules.rule_checks import is_mac
from hanse.kit.values import Value


class RuleSettings(Value, forbid_unknown_fields=True, rename={}):
    """``[rules]``: what apps may make of their rules.

    ``destinations``: where any app may lead devices besides its own address and what its descriptor's rules lead to:
    IP addresses, networks (``192.0.2.0/24``), MAC addresses. ``changes``: an app may take only what its descriptor's
    rules take (``granted``), or whatever no other app has (``free``, which is for a sandbox).
    """

    destinations: tuple[str, ...] = ()
    changes: str = Changes.GRANTED.value

    def checks(self, changes: str = "rules.changes", destinations: str = "rules.destinations") -> list[Check]:
        """What must hold of the values, under the keys by which they are written."""
        right = "an IP address, a network like 192.0.2.0/24, or a MAC address like 02:00:00:00:00:07"
        return [
            (changes, f"one of {', '.join(Changes)}", self.changes in tuple(Changes)),
            *((f"{destinations} {word!r}", right, _names_a_place(word)) for word in self.destinations),
        ]


def _names_a_place(word: str) -> bool:
    try:
        ip_network(word)
    except ValueError:
        return is_mac(word)
    return True
