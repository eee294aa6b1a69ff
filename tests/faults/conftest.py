"""Operators for the tests of faults, and nothing left of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.faults.operators import LoneOperator


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneOperator]:
    """An operator with one host that runs; tests of one module share it, also those that kill it."""
    lone = LoneOperator(tmp_path_factory.mktemp("operator"))
    try:
        asyncio.run(lone.start())
        yield lone
    finally:
        lone.clear()
