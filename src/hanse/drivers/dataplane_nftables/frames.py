"""Where frames are copied and given other addresses; hooked in only while a rule needs it (pure).

Every frame passes each hook that there is, also one without a rule in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hanse.drivers.dataplane_nftables.base import TABLE
from hanse.drivers.dataplane_nftables.phrases import FRAMES, Json, command, rule

FROM_DEVICES, TO_DEVICES = "from_devices", "to_devices"
_ADDRESSED, _ANSWERED = "addressed", "answered"
FRAME_BASE = f"""table netdev {TABLE} {{ }}
delete table netdev {TABLE}
table netdev {TABLE} {{
  map there {{ type mark : ether_addr; }}
  map here {{ type mark : ether_addr; }}
  set ours {{ type ether_addr; }}
  chain {FROM_DEVICES} {{ }}
  chain {TO_DEVICES} {{ }}
  chain {_ADDRESSED} {{
    ether daddr set meta mark map @there
    ether saddr set meta mark map @here
  }}
  chain {_ANSWERED} {{ ether daddr @ours meta pkttype set host; }}
}}
"""
"""Replaces whatever table was there. A packet that leaves by a way of a rule has a mark that says so; ``there`` and
``here`` are the Ethernet addresses of that way, ``ours`` those that answers go to."""


@dataclass(frozen=True)
class Hooks:
    """Interfaces that frames pass: ``devices`` those of devices, ``home`` the link to applications, ``far`` the one by
    which packets leave by tunnels, if there is one.
    """

    devices: tuple[str, ...] = ()
    home: str = ""
    far: tuple[str, ...] = ()

    def copying(self, *, on: bool) -> list[Json]:
        """Lead frames through the chains of taps, or no longer."""
        return list(self._hook({(FROM_DEVICES, "ingress"): self.devices, (TO_DEVICES, "egress"): self.devices}, on))

    def addressing(self, *, on: bool) -> list[Json]:
        """Lead frames through the chains that address them by their way and take in answers, or no longer."""
        leaving = (self.home, *self.far)
        return list(self._hook({(_ADDRESSED, "egress"): leaving, (_ANSWERED, "ingress"): (self.home,)}, on))

    def _hook(self, wanted: dict[tuple[str, str], tuple[str, ...]], on: bool) -> Iterator[Json]:
        """A chain for each interface: nft 1.0 takes only one in JSON."""
        for (chain, hook), devices in wanted.items():
            for device in devices:
                name = f"{chain}_{device}"
                if on:
                    yield command("add", "chain", name, FRAMES, **_hooked(hook, device))
                    yield rule(name, [{"jump": {"target": chain}}], FRAMES)
                else:
                    yield from (command(verb, "chain", name, FRAMES) for verb in ("flush", "delete"))


def _hooked(hook: str, device: str) -> dict[str, Json]:
    return {"type": "filter", "hook": hook, "dev": device, "prio": 0, "policy": "accept"}
