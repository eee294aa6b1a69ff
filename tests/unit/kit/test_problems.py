"""Every error says what is wrong and what would be right, and survives its way over the wire."""

from __future__ import annotations

import msgspec
import pytest

from hanse.kit import problems
from hanse.kit.problems import Problem, ProblemDetails


@pytest.mark.parametrize(
    ("problem", "status", "title"),
    [
        (problems.bad_request("Invalid attribute x", "give a number"), 400, "Invalid attribute x"),
        (problems.unauthorized("the token has expired"), 401, "Not authenticated"),
        (problems.forbidden("Not yours", "x must be your own"), 403, "Not yours"),
        (problems.not_found("service", "s-1"), 404, "No such service"),
        (problems.conflict("In use", "stop it first"), 409, "In use"),
        (problems.unreachable("vim.harbour", "connection refused"), 503, "vim.harbour cannot be reached"),
    ],
)
def test_a_problem_is_the_same_at_both_ends(problem: Problem, status: int, title: str) -> None:
    body = msgspec.json.decode(problem.encode())
    assert body == {"type": "about:blank", "title": title, "status": status, "detail": problem.detail}
    read = Problem.decode(status, problem.encode())
    assert (read.status, read.title, read.detail) == (problem.status, problem.title, problem.detail)
    assert problem.details() == msgspec.json.decode(problem.encode(), type=ProblemDetails)


def test_a_client_learns_how_to_show_who_it_is_and_when_to_come_again() -> None:
    assert problems.unauthorized("x").headers["WWW-Authenticate"].startswith("Bearer")
    assert int(problems.unreachable("vim").headers["Retry-After"]) > 0


def test_a_problem_without_detail_is_still_readable() -> None:
    problem = Problem(409, "In use")
    assert (problem.detail, str(problem)) == ("In use", "409 In use")
    assert str(Problem(409, "In use", "by pid 7")) == "409 In use: by pid 7"


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[1]", b'{"title":1}', b'{"x":"\xff"}', b"[" * 100_000])
@pytest.mark.parametrize(("status", "phrase"), [(404, "Not Found"), (599, "Unknown status")])
def test_an_unreadable_problem_keeps_its_status(body: bytes, status: int, phrase: str) -> None:
    problem = Problem.decode(status, body)
    assert (problem.status, problem.title) == (status, phrase)
    assert problem.detail


def test_a_body_cannot_change_the_status_it_came_with() -> None:
    assert Problem.decode(403, b'{"status": 200, "title": "Fine"}').status == 403


def test_no_headers_are_shared_between_problems() -> None:
    Problem(400, "a").headers["x"] = "y"
    assert Problem(400, "b").headers == {}
