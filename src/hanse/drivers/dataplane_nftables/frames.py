"""The rules on frames without rules: where copies are made, and where frames get other addresses (nft's own language).

A packet that leaves by a way of a rule has a mark that says so; ``there`` and ``here`` are the Ethernet addresses of
that way.
"""

from __future__ import annotations

from collections.abc import Sequence

from hanse.drivers.dataplane_nftables.base import quoted


def frame_base(devices: Sequence[str], home: str, far: Sequence[str] = ()) -> str:
    """Replaces whatever table was there. ``devices`` are the interfaces of devices, ``home`` the link to applications,
    ``far`` the interface by which packets leave by tunnels, if there is one.
    """
    return f"""table netdev hanse {{ }}
delete table netdev hanse
table netdev hanse {{
  chain from_devices {{ type filter hook ingress devices = {{ {quoted(devices)} }} priority 0; policy accept; }}
  chain to_devices {{ type filter hook egress devices = {{ {quoted(devices)} }} priority 0; policy accept; }}
  map there {{ type mark : ether_addr; }}
  map here {{ type mark : ether_addr; }}
  set ours {{ type ether_addr; }}
  chain addressed {{
    type filter hook egress devices = {{ {quoted([home, *far])} }} priority 0; policy accept;
    ether daddr set meta mark map @there
    ether saddr set meta mark map @here
  }}
  chain answered {{
    type filter hook ingress devices = {{ "{home}" }} priority 0; policy accept;
    ether daddr @ours meta pkttype set host
  }}
}}
"""
