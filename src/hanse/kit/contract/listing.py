"""Listing: what an operation that answers a list takes on the wire beside its own query (MEC 009 V3.1.1, 6.18 to 6.20).

It is declared with the operation (``@get("/ships", lists=Lists(...))``) and carried out by the server, after the
provider has answered: a provider answers whole lists, a client of ours asks for all fields and all pages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec

from hanse.kit.contract.attributes import attributes_of
from hanse.kit.contract.decode import query_pairs
from hanse.kit.contract.filter import Test, filter_of
from hanse.kit.contract.page import MARKER, page_of
from hanse.kit.contract.select import FLAGS, LISTS, Selectable, Tree, pruned
from hanse.kit.problems import bad_request

PARAMETERS = ("filter", *FLAGS, *LISTS)
"""Query parameters of every listing; the marker of a page is not among them: clients do not make it."""
PAGE_SIZE = 1000
"""Items of one answer, where nothing else is set."""
WHOLE = "all_fields"
"""The query of clients whose types want everything."""
_ASKED = re.compile(rf"[%+]|filter|fields|exclude_default|{MARKER}")
"""What a query has in it that asks for a part of a list, or may do so behind an encoding."""


@dataclass(frozen=True)
class Lists:
    """How an operation lists: the attribute (on the wire) that tells items apart, and what is left out by default."""

    key: str = "id"
    left_out: tuple[str, ...] = ()


@dataclass(slots=True)
class Part:
    """What one request wants of a list; ``query`` is that of the request without its marker."""

    key: str
    fits: Test | None
    removed: Tree
    marker: str
    query: str

    def of(self, items: list[Any], size: int) -> tuple[list[Any], str]:
        """The part of ``items`` that is answered, and the query of the next one, if there is one.

        Items that are answered as they are stay the list that they came in, which may be encoded already.
        """
        if self.fits is None and not self.removed and not self.marker and len(items) <= size:
            return items, ""
        fitting = items if self.fits is None else [item for item in items if self.fits(item)]
        place = getattr(items, "place", None)
        if place is not None and (self.marker or len(fitting) > size):
            fitting = sorted(fitting, key=place)
        page, marker = page_of(fitting, lambda item: str(getattr(item, self.key)), self.marker, size)
        if self.removed:
            page = [pruned(msgspec.to_builtins(item), self.removed) for item in page]
        return page, f"{self.query}&{MARKER}={marker}".lstrip("&") if marker else ""


class Listing:
    """The listing of items of type ``shape``."""

    def __init__(self, shape: type[msgspec.Struct], lists: Lists) -> None:
        self._shape = shape
        self.left_out = lists.left_out
        self._key = attributes_of(shape)[lists.key].member
        self._selectable = Selectable(shape, lists.left_out)
        self._by_default = self._selectable.removed({})

    def read(self, raw: str, own: bool) -> tuple[Part, str]:
        """What a query wants of the list, and the rest of it; ``own`` tells whether the operation has a query too."""
        if own and _ASKED.search(raw) is None:
            return Part(self._key, None, self._by_default, "", raw), raw
        pairs = query_pairs(raw)
        given: dict[str, str] = {}
        rest = []
        for name, value in pairs:
            if name not in PARAMETERS and name != MARKER:
                rest.append((name, value))
            elif name in given:
                raise bad_request(f"Query parameter {name} given more than once", "give it once")
            else:
                given[name] = value
        if rest and not own:
            raise bad_request(f"Unknown query parameter {rest[0][0]}", f"legal: {', '.join(PARAMETERS)}")
        return self._part(given, urlencode([pair for pair in pairs if pair[0] != MARKER])), urlencode(rest)

    def _part(self, given: dict[str, str], query: str) -> Part:
        text = given.get("filter")
        if MARKER in given and not given[MARKER]:
            raise bad_request(f"Invalid query parameter {MARKER}", "take it from a Link, as it is")
        selectors = {name: given[name] for name in (*FLAGS, *LISTS) if name in given}
        return Part(
            key=self._key,
            fits=None if text is None else filter_of(text, self._shape),
            removed=self._selectable.removed(selectors),
            marker=given.get(MARKER, ""),
            query=query,
        )
