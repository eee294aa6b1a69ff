"""The ruleset without rules: chains that sort packets by the number of the rule that takes them (nft's own language).

A packet's mark is the number of its rule. The first packet of a flow is decided by asking the maps in order; the flow
remembers the number, so that later packets cost one look at it, however many rules there are. What is needed now and
then only (`leading`, `frames`) is hooked in while it is: a hook costs every packet, also one without a rule in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from hanse.drivers.dataplane_nftables.gtp.message import PORT

TABLE = "hanse"

_SETS = """
table inet hanse {
  set begun { type mark; counter; }
  set up { type mark; counter; }
  set down { type mark; counter; }
  set dropped { type mark; counter; }
  map to4 { type mark : ipv4_addr; }
  map to6 { type mark : ipv6_addr; }
  map to4port { type mark : ipv4_addr . inet_service; }
  map to6port { type mark : ipv6_addr . inet_service; }
  map ways { type mark : mark; }
"""

_CHAINS = """
  chain decide { }
  chain up_counted { meta mark @up; accept; }
  chain known { ct mark @up accept; ct mark != 0 accept; }
  chain refused { meta l4proto tcp reject with tcp reset; drop; }
  chain sort {
    type filter hook prerouting priority mangle; policy accept;
    ct direction reply ct mark @down accept
    BACK
    jump known
    ct state untracked accept
    ct direction reply accept
    icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect } accept
    ct state invalid drop
    jump open
    meta mark 0 jump decide
    meta mark 0 goto refused
    meta mark @dropped drop
    ct mark 0 jump begin
    goto up_counted
  }
  chain begin { ct mark set meta mark; meta mark @begun; }
  chain turn {
    type nat hook prerouting priority dstnat; policy accept;
    meta nfproto ipv4 meta l4proto { tcp, udp, sctp, udplite } dnat ip to meta mark map @to4port
    meta nfproto ipv6 meta l4proto { tcp, udp, sctp, udplite } dnat ip6 to meta mark map @to6port
    meta nfproto ipv4 dnat ip to meta mark map @to4
    meta nfproto ipv6 dnat ip6 to meta mark map @to6
  }
"""


def base(
    own: Sequence[str],
    names: Sequence[tuple[str, int]] = (),
    homes: Sequence[str] = (),
    devices: Sequence[str] = (),
) -> str:
    """Replaces whatever table was there; applications see ``own`` addresses of the plane as their peers.

    ``names`` (address, port) are asked without a rule. What says that it is of devices, which come by interfaces
    ``devices``, does not come from applications, by ``homes``: a copy that one of them sent on would go round.
    """
    back = "\n    ".join(f'iif "{name}" jump came_back' for name in homes)  # by number: names are long to compare
    guard = f"ct state untracked accept; fib saddr oifname {{ {quoted(devices)} }} drop;" if devices else ""
    hides = [_hide("ipv6", "ip6", at) if ":" in at else _hide("ipv4", "ip", at) for at in own]
    hide = "\n".join(["  chain hide {", "    type nat hook postrouting priority srcnat; policy accept;", *hides, "  }"])
    fresh = "table inet hanse { }\ndelete table inet hanse\n"
    opened = "\n".join(["  chain open {", *(_opened(address, port) for address, port in names), "  }"])
    chains = _CHAINS.replace("BACK", back)
    return f"{fresh}{_SETS}  chain came_back {{ {guard} }}\n{opened}\n{chains}{hide}\n}}\n"


def tunnel_base(links: Sequence[str], ends: Sequence[str]) -> str:
    """What comes by these links to an end of tunnels here is no flow and no matter of rules: GTP-U and GRE."""
    into = "".join(
        f"    iifname {{ {quoted(links)} }} {'ip6' if ':' in at else 'ip'} daddr {at} {said} notrack\n"
        for at in ends
        for said in (f"udp dport {PORT}", "meta l4proto gre")
    )
    arrives = f"  chain arrives {{\n    type filter hook prerouting priority raw; policy accept;\n{into}  }}\n"
    leaves = f"""  chain leaves {{
    type filter hook output priority raw; policy accept;
    udp sport {PORT} notrack
    meta l4proto gre notrack
  }}
"""
    return f"table inet {TABLE} {{\n{arrives}{leaves}}}\n"


def quoted(names: Sequence[str]) -> str:
    """Names of interfaces with commas."""
    return ", ".join(f'"{name}"' for name in names)


def _opened(address: str, port: int) -> str:
    return f"    {'ip6' if ':' in address else 'ip'} daddr {address} meta l4proto {{ tcp, udp }} th dport {port} accept"


def _hide(family: str, protocol: str, address: str) -> str:
    """Only flows that ports or ids tell apart: of all others, those of two devices would be one behind one address."""
    told_apart = "meta l4proto { tcp, udp, sctp, udplite, icmp, icmpv6 }"
    return f"    meta nfproto {family} {told_apart} ct status dnat snat {protocol} to {address}"
