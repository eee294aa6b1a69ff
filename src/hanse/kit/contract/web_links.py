"""Web links (RFC 8288) of what is carried: those by which a list is read in pages, and nothing else that they tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

RELATIONS = frozenset(("first", "last", "next", "prev", "self"))
"""Links between the parts of a list (RFC 8288, 4.1, and IANA's register). Others, titles and types stay at home."""

_LINK = re.compile(r'<([^<>]*)>((?:[^",<]|"[^"]*")*)')
_PARAMETER = re.compile(r';\s*([\w!#$&+^`|~*-]+)\s*(?:=\s*("[^"]*"|[^\s;,"]*))?')


def passed_links(header: str) -> str:
    """What goes on of a ``Link`` header: relative links with `RELATIONS` that tell neither host nor scheme."""
    return retargeted(header, lambda target: "" if "//" in target else target)


def retargeted(header: str, change: Callable[[str], str]) -> str:
    """The same links to what ``change`` makes of their targets; one to nothing is left out."""
    links = ((change(target), relation) for target, relation in _links(header))
    return ", ".join(f'<{target}>; rel="{relation}"' for target, relation in links if target)


def _links(header: str) -> Iterator[tuple[str, str]]:
    for target, told in _LINK.findall(header):
        parameters: dict[str, str] = {}
        for name, value in _PARAMETER.findall(told):
            parameters.setdefault(name.lower(), value.strip('"'))  # of several the first counts (RFC 8288, 3.3)
        known = [word for word in parameters.get("rel", "").lower().split() if word in RELATIONS]
        if known and "anchor" not in parameters:  # with one it is a link of something else
            yield target.strip(), " ".join(known)
