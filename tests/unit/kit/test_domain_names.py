"""A domain name that somebody wrote is read in one way, or refused by the field in which it stands."""

from __future__ import annotations

import pytest

from hanse.kit.domain_names import read_domain_name
from hanse.kit.problems import Problem


@pytest.mark.parametrize("text", ["video.example", "video.example."])
def test_a_final_dot_makes_no_other_name(text: str) -> None:
    assert read_domain_name(text, "name").to_text() == "video.example."


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("bücher.example", "name is not ASCII"),
        ("a..example", "name is not a domain name"),
        ("a" * 64 + ".example", "name is not a domain name"),
        (".", "name is not a full domain name"),
        ("*.example", "name is not a full domain name"),
    ],
)
def test_what_is_no_name_is_refused_by_its_field(text: str, title: str) -> None:
    with pytest.raises(Problem, match=title) as caught:
        read_domain_name(text, "name")
    assert caught.value.status == 400


def test_a_wildcard_is_read_only_where_one_may_stand() -> None:
    assert read_domain_name("*.example", "canonical", wildcards=True).to_text() == "*.example."
