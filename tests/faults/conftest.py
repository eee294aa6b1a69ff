"""Operators for the tests of faults, and nothing left of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.operators import LoneOperator
from tests.lifetime import lifetime


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneOperator]:
    """An operator with one host that runs; tests of one module share it, also those that kill it."""
    with lifetime(LoneOperator(tmp_path_factory.mktemp("operator")), LoneOperator.start) as lone:
        yield lone
