"""YAML from strangers is read without harm and without surprises."""

from __future__ import annotations

import time

import pytest

from hanse.model.descriptor.tosca.document import MAX_BYTES, MAX_DEPTH, Unreadable, load


def test_a_mapping_is_read_with_its_aliases() -> None:
    assert load(b"a: &x {b: ['1.0']}\nc: *x\n") == {"a": {"b": ["1.0"]}, "c": {"b": ["1.0"]}}


def test_merged_keys_are_read() -> None:
    assert load(b"a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n")["d"] == {"b": 1, "c": 3}


def test_an_alias_bomb_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    begun = time.thread_time()
    with pytest.raises(Unreadable, match="expands to more"):
        load("\n".join(lines).encode())
    assert time.thread_time() - begun < 5, "expanded, it takes longer than the world has existed"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a: &a [*a]", "contains itself"),
        (b"a: " + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested deeper"),
        (b"[" * 100_000, "nested deeper"),
        (b"#" * (MAX_BYTES + 1), "at most"),
        (b"a: 1\na: 2", "the key a is there twice"),
        (b"1.0: x", "the key 1.0 is not a string"),
        (b"on: x", "the key True is not a string"),
        (b"? [a]\n: x", "not YAML|not a string"),
        (b"a: !!python/object/apply:os.system ['true']", "not YAML"),
        (b"a: !colour red", "not YAML"),
        (b"a: b: c", "not YAML"),
        (b"a: *missing", "not YAML"),
        (b"a: 2025-99-99", "not YAML"),
        (b"a: " + b"9" * 5000, "not YAML"),
        (b"\xff\xfe\xff", "not YAML"),
        (b"a: \x00", "not YAML"),
        (b"- a", "one mapping"),
        (b"", "one mapping"),
        (b"a: 1\n---\nb: 2", "not YAML"),
    ],
)
def test_what_is_unsafe_or_unclear_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        load(content)
