"""Scalar units of TOSCA: sizes and times with their unit (TOSCA Simple Profile YAML 1.3, 3.3.6)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

SIZES: Final = {
    "B": 1,
    "kB": 10**3,
    "KiB": 2**10,
    "MB": 10**6,
    "MiB": 2**20,
    "GB": 10**9,
    "GiB": 2**30,
    "TB": 10**12,
    "TiB": 2**40,
}
TIMES: Final = {
    "d": Decimal(86400),
    "h": Decimal(3600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("1e-3"),
    "us": Decimal("1e-6"),
    "ns": Decimal("1e-9"),
}
_SCALAR: Final = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?) *([A-Za-z]{1,3})")
_SIZES_BY_CASE: Final = {unit.casefold(): factor for unit, factor in SIZES.items()}


def size(text: str, unit: str = "B") -> int | float:
    """``"512 MiB"`` in multiples of ``unit``; the unit's case does not matter (3.3.6.4). `ValueError` if it is none."""
    number, written = _split(text)
    if written.casefold() not in _SIZES_BY_CASE:
        raise ValueError(f"a size has one of the units {', '.join(SIZES)}")
    return _plain(number * _SIZES_BY_CASE[written.casefold()] / SIZES[unit])


def time(text: str) -> int | float:
    """``"60 s"`` in seconds. `ValueError` if it is none."""
    number, written = _split(text)
    if written not in TIMES:
        raise ValueError(f"a time has one of the units {', '.join(TIMES)}")
    return _plain(number * TIMES[written])


def _split(text: str) -> tuple[Decimal, str]:
    match = _SCALAR.fullmatch(text.strip())
    if match is None:
        raise ValueError("give a number and a unit")
    return Decimal(match[1]), match[2]


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)
