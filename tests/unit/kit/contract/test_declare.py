"""A declaration says all, and one that cannot be served is refused when it is read, not when it is called."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from hanse.kit.contract.call import (
    Call,
    Caller,
    asked_below,
    continuing,
    current_call,
    first_call,
    next_call,
    require_match,
    serving,
)
from hanse.kit.contract.declare import (
    Accepted,
    Api,
    Created,
    Page,
    Stream,
    Tagged,
    apis_of,
    get,
    payload_type,
    post,
)
from hanse.kit.contract.guard import Guard
from hanse.kit.contract.reference import Offer, ReferencePoint, offers_of
from hanse.kit.problems import Problem
from hanse.refpoints.table import REFERENCE_POINTS
from tests.unit.kit.contract.harbour import APP, PILOT, SEA, Harbour, Quay, Ship, ShipQuery


class TestDeclarations:
    def test_an_operation_is_read_from_its_method(self) -> None:
        look, enter, find = (Harbour.operations[n] for n in ("look", "enter", "find"))
        assert (look.method, look.path, look.path_parameters, look.body) == ("GET", "/ships/{name}", ("name",), None)
        assert (enter.method, enter.success, enter.body_parameter, enter.body) == ("POST", 201, "ship", Ship)
        assert (find.query, find.returns) == (ShipQuery, Page[Ship])
        assert find.summary == "find"

    def test_a_provider_provides_what_it_derives_from(self) -> None:
        assert apis_of(Quay) == [Harbour]
        assert apis_of(int) == []
        assert Quay.operations is Harbour.operations

    def test_a_path_and_its_method_must_agree(self) -> None:
        with pytest.raises(TypeError, match="the path names"):

            class Wrong(Api, bases=("/x",)):
                @get("/{missing}")
                async def look(self) -> Ship: ...

    def test_there_is_one_body(self) -> None:
        with pytest.raises(TypeError, match="cannot all be the body"):

            class Wrong(Api, bases=("/x",)):
                @post("/")
                async def enter(self, one: Ship, two: Ship) -> Ship: ...

    def test_what_a_description_says_of_a_body_is_what_is_sent(self) -> None:
        expected = [(Created[Ship], Ship), (Tagged[Ship], Ship), (Page[Ship], list[Ship]), (Ship, Ship)]
        assert [payload_type(shape) for shape, _ in expected] == [payload for _, payload in expected]
        maybe = payload_type(Tagged[Ship] | None)
        assert maybe == Ship | None
        assert maybe is payload_type(Tagged[Ship] | None), "a description finds types by their identity"
        assert [payload_type(shape) for shape in (None, type(None), Accepted, Stream)] == [None] * 4


class TestGuard:
    @pytest.mark.parametrize("operation", Harbour.operations)
    @pytest.mark.parametrize("role", ["nobody", "", "quay", "pilots"])
    def test_a_role_that_is_not_listed_calls_nothing(self, operation: str, role: str) -> None:
        with pytest.raises(Problem) as refused:
            Guard([SEA]).admit(Harbour, "quay", operation, Caller(role=role, name="x", operator="north"), {}, "north")
        assert refused.value.status == 403

    def test_an_offer_of_one_provider_is_none_of_another(self) -> None:
        with pytest.raises(Problem):
            Guard([SEA]).admit(Harbour, "roads", "find", PILOT, {}, "north")
        assert Guard([SEA]).admit(Harbour, "quay", "find", PILOT, {}, "north") == "Sea"

    @pytest.mark.parametrize("arguments", [{}, {"name": ""}, {"name": "bert"}, {"name": None}, {"other": "anna"}])
    def test_what_must_be_the_callers_own_may_not_be_left_out(self, arguments: dict[str, object]) -> None:
        with pytest.raises(Problem, match="Not yours"):
            Guard([SEA]).admit(Harbour, "quay", "log", APP, arguments, "north")
        assert Guard([SEA]).admit(Harbour, "quay", "log", APP, {"name": "anna"}, "north") == "Sea"

    @pytest.mark.parametrize("operator", ["south", "", "North"])
    def test_a_role_at_one_operator_is_none_at_another(self, operator: str) -> None:
        with pytest.raises(Problem, match="Not allowed") as refused:
            Guard([SEA]).admit(Harbour, "quay", "find", PILOT, {}, operator)
        assert refused.value.status == 403

    @pytest.mark.parametrize(
        ("operator", "subject", "passes"),
        [("south", "south", True), ("north", "north", False), ("south", "west", False), ("south", "", False)],
    )
    def test_a_partner_is_another_operator_and_speaks_for_itself(
        self, operator: str, subject: str, passes: bool
    ) -> None:
        guard = Guard([ReferencePoint("Fed", "x", "none", (Offer(Harbour, "quay", ("partner",)),))])
        caller = Caller(role="partner", name=operator, operator=operator, subject=subject)
        if passes:
            assert guard.admit(Harbour, "quay", "find", caller, {}, "north") == "Fed"
        else:
            with pytest.raises(Problem, match="Not allowed"):
                guard.admit(Harbour, "quay", "find", caller, {}, "north")

    def test_who_is_listed_twice_is_recorded_on_the_first(self) -> None:
        other = ReferencePoint("Air", "x", "none", (Offer(Harbour, "quay", ("pilot", "gull")),))
        guard = Guard([SEA, other])
        assert guard.users(Harbour, "quay", "log") == {"pilot": "Sea", "app": "Sea", "gull": "Air"}
        assert [(p.name, o.provider) for p, o in offers_of([SEA, other], "quay")] == [("Sea", "quay")] * 2 + [
            ("Air", "quay")
        ]

    def test_every_reference_point_offers_operations_that_there_are(self) -> None:
        for point in REFERENCE_POINTS:
            for offer in point.offers:
                assert set(offer.only) <= set(offer.api.operations), point.name
                named = {p for n in offer.only or offer.api.operations for p in offer.api.operations[n].path_parameters}
                assert set(offer.own.values()) <= named | {"exchange"}, point.name


class TestCalls:
    def test_outside_of_any_call_each_is_the_first_of_its_trace(self) -> None:
        assert current_call().trace != current_call().trace
        assert current_call().caller.role == "nobody"

    def test_a_call_is_a_child_of_the_one_that_is_served(self) -> None:
        served = Call(PILOT, "t", "s", deadline=first_call().deadline, if_match='"1"', link="l", tenant="x", base="/b")
        with serving(served):
            call = next_call(APP)
        assert (call.trace, call.parent, call.caller, call.tenant) == ("t", "s", APP, "x")
        assert (call.if_match, call.link, call.base, call.deadline) == ("", "", "", served.deadline)
        assert call.span != "s"

    @pytest.mark.parametrize(
        ("base", "found"), [("/b/v1", "/b/v1"), ("/prefix/b/v1", "/b/v1"), ("", "/b/v2"), ("/c/v1", "/b/v2")]
    )
    def test_a_provider_knows_by_which_of_its_bases_it_was_asked(self, base: str, found: str) -> None:
        with serving(Call(PILOT, "t", "s", base=base)):
            assert asked_below(("/b/v2", "/b/v1")) == found

    def test_a_call_is_current_until_it_ends_however_it_ends(self) -> None:
        with pytest.raises(KeyError), serving(Call(PILOT, "t", "s")):
            raise KeyError
        assert current_call().trace != "t"

    def test_work_that_goes_on_stays_in_its_trace(self) -> None:
        with continuing("t" * 32, idempotency_key="k", patience=5, tenant="x"):
            call = current_call()
        assert (call.trace, call.idempotency_key, call.tenant) == ("t" * 32, "k", "x")
        assert 4 < call.remaining() <= 5

    @pytest.mark.parametrize(
        ("wanted", "holds"),
        [("", True), ("*", True), ('"7"', True), ('"6", "7"', True), ('"6"', False), ("7", False), ('W/"7"', False)],
    )
    def test_a_condition_holds_or_is_412(self, wanted: str, holds: bool) -> None:
        outcome = nullcontext() if holds else pytest.raises(Problem, match="412")
        with serving(Call(PILOT, "t", "s", if_match=wanted)), outcome:
            require_match("7")

    @pytest.mark.parametrize(
        ("wanted", "holds"), [("", True), ("*", True), ('"7"', False), ('""', False), ("x", False)]
    )
    def test_no_condition_on_a_tag_holds_for_what_has_none(self, wanted: str, holds: bool) -> None:
        outcome = nullcontext() if holds else pytest.raises(Problem, match="no entity tag")
        with serving(Call(PILOT, "t", "s", if_match=wanted)), outcome:
            require_match("")
