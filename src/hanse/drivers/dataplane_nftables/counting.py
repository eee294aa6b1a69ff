"""What the kernel counted, by rule (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from hanse.drivers.dataplane_nftables.rules import Rule
from hanse.drivers.dataplane_nftables.tapping import tap_counters
from hanse.refpoints.mp2 import RuleCounters

_FRAME = 14
"""Bytes of an Ethernet header."""


class Count(NamedTuple):
    """What passed a counter."""

    packets: int = 0
    bytes: int = 0


class Counted(dict[tuple[str, int], Count]):
    """Counts by the name of a set and the number of a rule, or by the name of a counter and 0."""

    def of(self, rule: Rule, open_flows: int) -> RuleCounters:
        """The counters of one rule; those of a tap are what it copied."""
        rule_id, none = rule.forwarding.rule_id, Count()
        if rule.taps:
            up, down = (self.get((name, 0), none) for name in tap_counters(rule.mark))
            packets = down.bytes - _FRAME * down.packets  # where frames leave, their own header is counted too
            return RuleCounters(rule_id=rule_id, bytes_up=up.bytes, bytes_down=packets)
        return RuleCounters(
            rule_id=rule_id,
            bytes_up=self.get(("up", rule.mark), none).bytes,
            bytes_down=self.get(("down", rule.mark), none).bytes,
            flows=self.get(("begun", rule.mark), none).packets,
            open_flows=open_flows,
            refused=self.get(("dropped", rule.mark), none).packets,
        )


def read_counters(listed: Iterable[dict[str, Any]]) -> Counted:
    """From what ``nft -j list sets`` and ``list counters`` give."""
    found = Counted()
    for entry in listed:
        if said := entry.get("counter"):
            found[said["name"], 0] = Count(said["packets"], said["bytes"])
        for element in entry.get("set", {}).get("elem", []):
            if isinstance(element, dict) and "counter" in (inner := element["elem"]):
                count = inner["counter"]
                found[entry["set"]["name"], inner["val"]] = Count(count["packets"], count["bytes"])
    return found
