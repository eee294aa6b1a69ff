"""A query that comes again is not read again, and is nevertheless read right: for its own operation, refusals too."""

from __future__ import annotations

import msgspec
import pytest

from hanse.kit.contract import decode
from hanse.kit.contract.decode import decode_query
from hanse.kit.problems import Problem


class Sea(msgspec.Struct, frozen=True, kw_only=True):
    name: tuple[str, ...] = ()
    deep: bool = False


class Lake(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""


class Notebook(msgspec.Struct, kw_only=True):
    name: str = ""


def test_a_query_means_for_each_operation_what_that_operation_takes() -> None:
    for _ in range(2):
        assert decode_query("name=a", Sea) == Sea(name=("a",))
        assert decode_query("name=a", Lake) == Lake(name="a")
        assert decode_query("name=b", Lake) == Lake(name="b")


@pytest.mark.parametrize("query", ["depth=3", "deep=perhaps", "deep=true&deep=true"])
def test_what_is_refused_once_is_refused_again(query: str) -> None:
    for _ in range(2):
        with pytest.raises(Problem) as caught:
            decode_query(query, Sea)
        assert caught.value.status == 400


def test_long_queries_do_not_fill_the_memory() -> None:
    decode._remembered_query.cache_clear()
    long = "name=" + "a" * decode.REMEMBERED_LENGTH
    assert decode_query(long, Sea) == Sea(name=("a" * decode.REMEMBERED_LENGTH,))
    assert decode._remembered_query.cache_info().currsize == 0
    decode_query("name=a", Sea)
    assert decode._remembered_query.cache_info().currsize == 1
    assert decode._remembered_query.cache_info().maxsize == decode.REMEMBERED_QUERIES


def test_what_a_handler_may_change_is_its_own() -> None:
    first = decode_query("name=a", Notebook)
    assert isinstance(first, Notebook)
    first.name = "scribbled over"
    assert decode_query("name=a", Notebook) == Notebook(name="a")
