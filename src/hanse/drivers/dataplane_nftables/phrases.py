"""nft's JSON for what we say to it (libnftables-json(5)): conditions, keys of maps, elements, commands (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from hanse.drivers.dataplane_nftables.base import TABLE
from hanse.drivers.dataplane_nftables.boxes import ALL_PORTS, ALL_PROTOCOLS, Box, Shape, Span
from hanse.drivers.dataplane_nftables.extra import Extra

Json = Any
MARK: Json = {"meta": {"key": "mark"}}
FLOW_MARK: Json = {"ct": {"key": "mark"}}
FRAMES = "netdev"
"""The family of rules on frames."""
_L4: Json = {"meta": {"key": "l4proto"}}
_PORT_OF_LABEL: Json = {"payload": {"base": "ll", "offset": 56, "len": 16}}
_BEARER_OF_LABEL: Json = {"payload": {"base": "ll", "offset": 72, "len": 24}}
"""Where `gtp.labels.of_bearer` puts them, in the address that a frame comes from."""
_PROTOCOL = {4: "ip", 6: "ip6"}
_MOST = {4: 2**32 - 1, 6: 2**128 - 1}


def command(verb: str, what: str, name: str, family: str = "inet", **more: Json) -> Json:
    """``verb`` (add, delete, flush) a ``what`` (set, map, chain, counter) of ours by name."""
    return {verb: {what: {"family": family, "table": TABLE, "name": name, **more}}}


def elements(verb: str, name: str, found: list[Json], family: str = "inet") -> list[Json]:
    """Add or delete elements of a set or map; nothing if there are none."""
    return [{verb: {"element": {"family": family, "table": TABLE, "name": name, "elem": found}}}] if found else []


def rule(chain: str, said: list[Json], family: str = "inet") -> Json:
    """Add a rule at the end of a chain."""
    return {"add": {"rule": {"family": family, "table": TABLE, "chain": chain, "expr": said}}}


def is_(left: Json, right: Json) -> Json:
    """A condition."""
    return {"match": {"op": "==", "left": left, "right": right}}


def is_not(left: Json, right: Json) -> Json:
    """A condition that must not hold."""
    return {"match": {"op": "!=", "left": left, "right": right}}


def set_mark(value: Json) -> Json:
    """The packet's mark becomes a number, what is looked up, or the flow's."""
    return {"mangle": {"key": MARK, "value": value}}


def looked_up(name: str, shape: Shape) -> Json:
    """The number that a map of boxes gives for the packet; the rule ends there if it gives none."""
    ip = _PROTOCOL[shape.version]
    key = [_field(ip, "daddr"), _L4, *([_field("th", "dport")] if shape.ports else [])]
    if not shape.exact:
        key += [_field(ip, "saddr"), *([_field("th", "sport")] if shape.ports else [])]
    return {"map": {"key": {"concat": key}, "data": f"@{name}"}}


def map_of_boxes(name: str, shape: Shape) -> Json:
    """Make a map from boxes to numbers: a hash, or bitmaps of ranges, which are slower to ask and to change."""
    address, port = f"ipv{shape.version}_addr", ["inet_service"] if shape.ports else []
    key = [address, "inet_proto", *port]
    if shape.exact:
        return command("add", "map", name, type=key, map="mark")
    return command("add", "map", name, type=[*key, address, *port], map="mark", flags=["interval"])


def box_key(box: Box) -> Json:
    """A box as the key of an element."""
    shape = box.shape
    key = [_addresses(box.dst, box.version), _numbers(box.protocol), *([_numbers(box.dport)] if shape.ports else [])]
    if not shape.exact:
        key += [_addresses(box.src, box.version), *([_numbers(box.sport)] if shape.ports else [])]
    return {"concat": key}


def conditions(box: Box, extra: Extra, *, leaving: bool = False) -> list[Json]:
    """A box and further conditions for rules, only those that say something; ``leaving``: where packets leave."""
    return [_protocol_is(box.version), *_of_box(box), *_of_extra(extra, box.version, leaving)]


def _of_box(box: Box) -> Iterator[Json]:
    ip, every = _PROTOCOL[box.version], (0, _MOST[box.version])
    for field, span in (("saddr", box.src), ("daddr", box.dst)):
        if span != every:
            yield is_(_field(ip, field), _addresses(span, box.version))
    if box.protocol != ALL_PROTOCOLS:
        yield is_(_field(ip, "nexthdr") if box.by_header else _L4, _numbers(box.protocol))
    for field, span in (("sport", box.sport), ("dport", box.dport)):
        if span != ALL_PORTS:
            yield is_(_field("th", field), _numbers(span))


def _of_extra(extra: Extra, version: int, leaving: bool) -> Iterator[Json]:
    if extra.dscp is not None:
        yield is_(_field("ip", "dscp"), extra.dscp)
    if extra.traffic_class is not None:
        yield is_({"payload": {"base": "nh", "offset": 4, "len": 8}}, extra.traffic_class)
    if extra.interfaces is not None:
        yield is_({"meta": {"key": "oifname" if leaving else "iifname"}}, {"set": list(extra.interfaces)})
    if leaving:
        yield from _to_devices(extra, version)
        return
    if extra.tunnel_ports is not None:
        yield is_(_PORT_OF_LABEL, {"set": [_numbers(span) for span in extra.tunnel_ports]})
    if extra.bearers is not None:
        yield is_(_BEARER_OF_LABEL, {"set": [_numbers(span) for span in extra.bearers]})


def _to_devices(extra: Extra, version: int) -> Iterator[Json]:
    """A frame on its way to a tunnel has no label yet: its device tells of which bearers it may be."""
    if extra.bearers is not None:
        to = [_addresses(span, version) for of, span in extra.devices if of == version]
        yield is_(_field(_PROTOCOL[version], "daddr"), {"set": to or [_addresses((0, 0), version)]})


def _protocol_is(version: int) -> Json:
    return is_({"meta": {"key": "protocol"}}, _PROTOCOL[version])


def _field(protocol: str, field: str) -> Json:
    return {"payload": {"protocol": protocol, "field": field}}


def _addresses(span: Span, version: int) -> Json:
    low, high = (str(IPv4Address(n) if version == 4 else IPv6Address(n)) for n in span)
    return low if low == high else {"range": [low, high]}


def _numbers(span: Span) -> Json:
    return span[0] if span[0] == span[1] else {"range": list(span)}
