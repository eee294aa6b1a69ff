"""A filter finds exactly what it says; what cannot be meant is refused by what is wrong with it (MEC 009, 6.19)."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest

from hanse.kit.contract.filter import MOST_VALUES, OPERATORS, Expression, filter_of, parse
from hanse.kit.problems import Problem
from tests.unit.kit.contract.fleet import ADLER, FLEET, Rig, Vessel


def found(text: str) -> str:
    """The first letters of those that fit."""
    return "".join(ship.papers.self for ship in FLEET if filter_of(text, Vessel)(ship))


@pytest.mark.parametrize(
    ("text", "ships"),
    [
        ("(eq,id,Adler)", "a"),
        ("(neq,id,Adler)", "bc"),
        ("(eq,rig,HULK)", "bc"),
        ("(in,rig,COG,HULK)", "abc"),
        ("(nin,rig,COG)", "bc"),
        ("(gt,crew,7)", "bc"),
        ("(gte,crew,7)", "abc"),
        ("(lt,crew,12)", "a"),
        ("(lte,crew,12)", "ac"),
        ("(gt,crew,11.5)", "bc"),
        ("(eq,crew,7)", "a"),
        ("(eq,armed,TRUE)", "a"),
        ("(eq,armed,false)", "bc"),
        ("(neq,armed,false)", "a"),
        ("(eq,homePort,Lübeck)", "a"),
        ("(cont,homePort,beck,xyz)", "a"),
        ("(ncont,id,d)", "b"),
        ("(cont,rig,UL)", "bc"),
        ("(gt,id,B)", "bc"),
    ],
)
def test_each_operator_compares_in_the_type_of_the_attribute(text: str, ships: str) -> None:
    assert found(text) == ships


@pytest.mark.parametrize(
    ("text", "ships"),
    [
        ("(eq,cargo,salt)", "a"),
        ("(eq,cargo,herring)", "b"),
        ("(neq,cargo,salt)", "ab"),
        ("(eq,calls/name,Reval)", "a"),
        ("(gt,calls/depth,6)", "ac"),
        ("(gt,calls/depth,10)", "c"),
        ("(eq,_papers/toll/name,Sund)", "a"),
        ("(eq,_papers/self,b)", "b"),
    ],
)
def test_attributes_below_others_and_in_arrays_are_reached(text: str, ships: str) -> None:
    assert found(text) == ships


@pytest.mark.parametrize("operator", [o for o in OPERATORS if o not in ("gt", "lt", "gte", "lte")])
def test_an_absent_attribute_fulfils_nothing(operator: str) -> None:
    assert "b" not in found(f"({operator},homePort,anything)")
    assert "b" not in found(f"({operator},master/name,anything)")


@pytest.mark.parametrize(
    ("text", "ships"),
    [
        ("(eq,remarks/built,1389)", "a"),
        ("(eq,remarks/flags/red,true)", "a"),
        ("(eq,remarks/yards,Danzig)", "a"),
        ("(eq,remarks/nothing/here,1)", ""),
        ("(eq,remarks/built/below,1)", ""),
    ],
)
def test_what_an_app_adds_freely_can_be_filtered_by_too(text: str, ships: str) -> None:
    assert found(text) == ships


def test_expressions_are_joined_by_and() -> None:
    assert found("(eq,rig,HULK);(gt,crew,12)") == "b"
    assert found("(eq,rig,HULK);(gt,crew,12);(eq,id,Adler)") == ""


@pytest.mark.parametrize(
    ("text", "ships"),
    [
        ("(eq,cargo,'cloth, fine')", "a"),
        ("(eq,id,'O''Carl (old)')", "c"),
        ("(in,id,'Adler',Bunte)", "ab"),
        ("(eq,id,'')", ""),
        ("(eq,id,'Adler')", "a"),
    ],
)
def test_quotes_hold_what_would_end_a_value(text: str, ships: str) -> None:
    assert found(text) == ships


def test_names_can_hold_what_separates_them() -> None:
    assert parse("(eq,a~1b/c~ad~b~01,x)") == [Expression("eq", ("a/b", "c,d@~1"), ("x",))]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "'('"),
        ("eq,id,Adler", "'('"),
        ("(eq,id,Adler", "')'"),
        ("(eq,id)", "one value"),
        ("(eq,id,a,b)", "one value"),
        ("(in,id)", "at least one"),
        ("(eq,id,)", "name is missing"),
        ("(eq,,a)", "name is missing"),
        ("(like,id,a)", "eq, neq"),
        ("(EQ,id,a)", "eq, neq"),
        ("(eq,id,a)(eq,id,b)", "';'"),
        ("(eq,id,a);", "'('"),
        ("(eq,id,a),(eq,id,b)", "';'"),
        ("(eq,id,'a)", "not closed"),
        ("(eq,id,'a'b)", "')'"),
        ("(eq,id,a'b)", "')'"),
        ("(eq,ID,a)", "legal: id, rig"),
        ("(eq,home_port,a)", "homePort"),
        ("(eq,id/below,a)", "nothing below"),
        ("(eq,calls/nom,a)", "name, depth"),
        ("(eq,calls,a)", "attributes of its own"),
        ("(eq,_papers,a)", "attributes of its own"),
        ("(eq,rig,RAFT)", "COG, HULK"),
        ("(eq,crew,many)", "number"),
        ("(eq,armed,perhaps)", "true, false"),
        ("(gt,armed,true)", "boolean"),
        ("(eq,id//x,a)", "legal"),
        (f"(eq,remarks{'/a' * 40},x)", "at most 32 levels"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_what_is_wrong(text: str, word: str) -> None:
    with pytest.raises(Problem) as caught:
        filter_of(text, Vessel)
    assert (caught.value.status, caught.value.title) == (400, "Invalid query parameter filter")
    assert word in caught.value.detail


@pytest.mark.parametrize("one", ["(neq,id,x)", "(in,id,x)", "(ncont,id,x)"])
def test_a_filter_that_keeps_everybody_waiting_is_refused(one: str) -> None:
    assert len(parse(";".join([one] * MOST_VALUES))) == MOST_VALUES
    with pytest.raises(Problem, match="filter") as caught:
        parse(";".join([one] * (MOST_VALUES + 1)))
    assert f"at most {MOST_VALUES} values" in caught.value.detail


def test_many_values_in_one_expression_count_each() -> None:
    many = ",".join(["x"] * MOST_VALUES)
    assert len(parse(f"(nin,id,{many})")[0].values) == MOST_VALUES
    with pytest.raises(Problem, match="filter"):
        parse(f"(nin,id,{many});(eq,id,x)")


def test_any_text_is_a_filter_or_a_problem() -> None:
    generator = random.Random(9)
    pieces = ["(", ")", ",", ";", "'", "eq", "in", "id", "crew", "_papers/self", "7", "~", "~1", "/", " ", "ü", "\x00"]
    for _ in range(5000):
        text = "".join(generator.choices(pieces, k=generator.randrange(14)))
        with contextlib.suppress(Problem):
            assert filter_of(text, Vessel)(ADLER) in (True, False)


def test_quoted_values_come_back_as_they_were() -> None:
    generator = random.Random(10)
    for _ in range(1000):
        values = tuple("".join(generator.choices("a',();~/é ", k=generator.randrange(6))) for _ in range(3))
        written = ",".join("'" + value.replace("'", "''") + "'" for value in values)
        assert parse(f"(in,x,{written})") == [Expression("in", ("x",), values)]


def test_a_plain_program_finds_the_same() -> None:
    generator = random.Random(11)
    ships = [
        Vessel(id=str(n), rig=generator.choice(list(Rig)), crew=generator.randrange(50), papers=ADLER.papers)
        for n in range(200)
    ]
    tests: dict[str, Any] = {"gt": int.__gt__, "lt": int.__lt__, "gte": int.__ge__, "lte": int.__le__}
    for _ in range(50):
        operator, bound, rig = generator.choice(list(tests)), generator.randrange(50), generator.choice(list(Rig))
        fits = filter_of(f"({operator},crew,{bound});(eq,rig,{rig})", Vessel)
        expected = [s.id for s in ships if tests[operator](s.crew, bound) and s.rig is rig]
        assert [s.id for s in ships if fits(s)] == expected
