"""Protocols as a traffic filter writes them: IANA's names, or numbers (ETSI GS MEC 011 V3.1.1, 7.1.5.2, ``protocol``).

The standard gives no list. Names and numbers are those of IANA's "Assigned Internet Protocol Numbers", with the other
names that are in use. What an app wrote stays as it wrote it; filters are compared by the numbers that they mean.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hanse.kit.problems import Problem, bad_request
from hanse.kit.values import Absent

ICMP: Final = 1
TCP: Final = 6
UDP: Final = 17
ICMPV6: Final = 58
WITH_PORTS: Final = frozenset({TCP, UDP, 33, 132, 136})
"""TCP, UDP, DCCP, SCTP and UDP-Lite: their headers begin with two ports."""
BY_PORTS_ALONE: Final = frozenset({TCP, UDP})
"""What a filter means that names ports and no protocol."""
BEFORE_OTHERS: Final = frozenset({0, 43, 44, 51, 60})
"""Headers of IPv6 that others follow: a packet with one of these has another protocol as well (RFC 8200, 4)."""

_LAST: Final = 255
_NAMES: Final = """
0 hopopt   1 icmp   2 igmp   3 ggp   4 ipv4|ipip|ipencap|ip-in-ip   5 st   6 tcp   7 cbt   8 egp   9 igp
10 bbn-rcc-mon   11 nvp-ii   12 pup   13 argus   14 emcon   15 xnet   16 chaos   17 udp   18 mux   19 dcn-meas   20 hmp
21 prm   22 xns-idp   23 trunk-1   24 trunk-2   25 leaf-1   26 leaf-2   27 rdp   28 irtp   29 iso-tp4   30 netblt
31 mfe-nsp   32 merit-inp   33 dccp   34 3pc   35 idpr   36 xtp   37 ddp   38 idpr-cmtp   39 tp++   40 il
41 ipv6|6in4   42 sdrp   43 ipv6-route   44 ipv6-frag   45 idrp   46 rsvp   47 gre   48 dsr   49 bna   50 esp|ipsec-esp
51 ah|ipsec-ah   52 i-nlsp   53 swipe   54 narp   55 min-ipv4|mobile   56 tlsp   57 skip   58 ipv6-icmp|icmpv6|icmp6
59 ipv6-nonxt   60 ipv6-opts   62 cftp   64 sat-expak   65 kryptolan   66 rvd   67 ippc   69 sat-mon   70 visa   71 ipcv
72 cpnx   73 cphb   74 wsn   75 pvp   76 br-sat-mon   77 sun-nd   78 wb-mon   79 wb-expak   80 iso-ip   81 vmtp
82 secure-vmtp   83 vines   84 iptm|ttp   85 nsfnet-igp   86 dgp   87 tcf   88 eigrp   89 ospf|ospfigp   90 sprite-rpc
91 larp   92 mtp   93 ax.25   95 micp   96 scc-sp   97 etherip   98 encap   100 gmtp   101 ifmp   102 pnni   103 pim
104 aris   105 scps   106 qnx   107 a/n   108 ipcomp   109 snp   110 compaq-peer   111 ipx-in-ip   112 vrrp   113 pgm
115 l2tp   116 ddx   117 iatp   118 stp   119 srp   120 uti   121 smp   122 sm   123 ptp   124 isis   125 fire
126 crtp   127 crudp   128 sscopmce   129 iplt   130 sps   131 pipe   132 sctp   133 fc   134 rsvp-e2e-ignore
135 mobility-header   136 udplite|udp-lite   137 mpls-in-ip   138 manet   139 hip   140 shim6   141 wesp   142 rohc
143 ethernet   144 aggfrag   145 nsh
"""
"""One name for each number, then the others that it has. ``ipip`` is what systems call 4, not what IANA does (94)."""


def _read() -> tuple[dict[int, str], dict[str, int]]:
    words = _NAMES.split()
    found = {int(number): names.split("|") for number, names in zip(words[::2], words[1::2], strict=True)}
    first = {number: names[0] for number, names in found.items()}
    return first, {name: number for number, names in found.items() for name in names}


_NAME_OF, _NUMBER_OF = _read()


def protocol_number(text: str, field: str) -> int:
    """The number of ``tcp``, ``TCP`` or ``6``; 400 names ``field`` if it is neither a name nor a number."""
    word = text.strip().lower()
    if word in _NUMBER_OF:
        return _NUMBER_OF[word]
    if word.isascii() and word.isdigit() and len(word) <= 3 and int(word) <= _LAST:
        return int(word)
    raise bad_request(f"{field} is not a protocol", _HINT.format(text))


def protocol_name(number: int) -> str:
    """The name of a protocol, in small letters; the number itself where it has none."""
    return _NAME_OF.get(number, str(number))


def meant_protocols(texts: tuple[str, ...] | Absent, field: str = "protocol", *, ports: bool) -> frozenset[int] | None:
    """The numbers that a filter means, ``None`` for all; ``ports``: it names ports too.

    400: one is unknown, or has no ports in a filter that names them.
    """
    if isinstance(texts, Absent):
        return BY_PORTS_ALONE if ports else None
    numbers = frozenset(protocol_number(text, field) for text in texts)
    if ports and (without := numbers - WITH_PORTS):
        detail = f"leave out srcPort and dstPort, or write of these only: {_listed(WITH_PORTS)}"
        raise bad_request(f"{field} has no ports", f"{_listed(without)} has none: {detail}")
    return numbers


def spelt_alike(texts: Iterable[str]) -> frozenset[str]:
    """The same words for the same protocols, to compare them; what is no protocol stays as it is written."""
    return frozenset(_spelt(text) for text in texts)


def _spelt(text: str) -> str:
    try:
        return protocol_name(protocol_number(text, "protocol"))
    except Problem:
        return text


def in_version(numbers: Iterable[int], version: int) -> frozenset[int]:
    """What packets of an IP version have in their headers: ``icmp`` is ICMPv6 there, which IPv4 does not have."""
    if version == 4:
        return frozenset(numbers) - {ICMPV6}
    return frozenset(ICMPV6 if number == ICMP else number for number in numbers)


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(protocol_name(number) for number in sorted(numbers))


_HINT: Final = "write a name that IANA gives, like tcp, udp, icmp, gre or esp, or its number, 0 to 255; got {!r}"
