"""What comes to a redirector is read as HTTP has it, and what could mislead it is refused."""

from __future__ import annotations

import pytest

from hanse.elements.mep.steering.redirection_request import Request, Wanted, is_name, wanted
from hanse.kit.problems import Problem

NAME = "video.example.com"


def asked(
    target: bytes = b"/", *hosts: bytes, scheme: str = "http", server_name: str = "", peer: str = "127.0.0.9"
) -> Wanted:
    return wanted(Request(scheme, target, hosts or (NAME.encode(),), peer, server_name))


def refused(status: int, *args: bytes, **named: str) -> Problem:
    with pytest.raises(Problem) as caught:
        asked(*args, **named)  # type: ignore[arg-type]
    assert caught.value.status == status, caught.value
    return caught.value


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b" ",
        b"video.example.com, evil.example",
        b"video.example.com evil.example",
        b"video.example.com,evil.example",
        b"video.example.com:80:81",
        b"video.example.com:65536",
        b"video.example.com:-1",
        b"video.example.com:8o",
        b"user@video.example.com",
        b"video.example.com/evil",
        b"video.example.com\\@evil",
        b"video.example.com#evil",
        b"video.example.com?evil",
        b"video..example.com",
        b".video.example.com",
        b"-video.example.com",
        b"video.example.com..",
        b"video.example.com\r\nLocation: http://evil",
        b"video.example.com\x00",
        b"vid\xe9o.example.com",
        b"[::1",
        b"::1",
        b"[v1.x]",
        b"x." * 127 + b"xx",
        b"x" * 70_000,
        b"x" * 64 + b".example.com",
    ],
)
def test_a_host_field_that_is_no_host_is_refused(host: bytes) -> None:
    assert "header Host" in refused(400, b"/", host).title
    if not any(end in host for end in b"/?#") and len(host) < 8000:
        assert "request target" in refused(400, b"http://" + host + b"/").title


@pytest.mark.parametrize("hosts", [(), (NAME.encode(), NAME.encode()), (NAME.encode(), b"evil.example")])
def test_none_or_several_host_fields_are_refused_even_if_they_agree(hosts: tuple[bytes, ...]) -> None:
    for target in (b"/", b"http://video.example.com/"):
        with pytest.raises(Problem) as caught:
            wanted(Request("http", target, hosts, "127.0.0.9"))
        assert (caught.value.status, caught.value.title) == (400, "Invalid header Host")
        assert f"got {len(hosts)}" in caught.value.detail


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (b"video.example.com", NAME),
        (b"VIDEO.Example.COM", NAME),
        (b"video.example.com.", NAME),
        (b"video.example.com:8480", NAME),
        (b"video.example.com:", NAME),
        (b"video.example.com.:80", NAME),
        (b"_sip.example.com", "_sip.example.com"),
        (b"127.0.0.1:80", "127.0.0.1"),
        (b"[2001:DB8::7]:8480", "[2001:db8::7]"),
        (b"[::ffff:10.0.0.1]", "[::ffff:10.0.0.1]"),
    ],
)
def test_a_name_is_the_same_however_it_is_spelt_and_by_whatever_port(host: bytes, name: str) -> None:
    assert asked(b"/x", host) == Wanted(name, b"/x")


def test_of_an_absolute_target_its_own_authority_counts_and_not_the_host_field() -> None:
    assert asked(b"http://films.example.com/a?b=c") == Wanted("films.example.com", b"/a?b=c")
    assert asked(b"HTTP://Films.Example.com:8480?b=c") == Wanted("films.example.com", b"/?b=c")
    assert asked(b"http://films.example.com") == Wanted("films.example.com", b"/")
    assert asked(b"https://films.example.com/", scheme="https") == Wanted("films.example.com", b"/")


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"https://video.example.com/", 421),
        (b"ftp://video.example.com/", 400),
        (b"javascript://video.example.com/%0aalert(1)", 400),
        (b"http://user@video.example.com/", 400),
        (b"http:///x", 400),
        (b"http:/x", 400),
        (b"*", 400),
        (b"", 400),
        (b"video.example.com:80", 400),
        (b"?x", 400),
        (b"/" + b"x" * 8192, 414),
    ],
)
def test_a_target_that_cannot_be_asked_for_elsewhere_is_refused(target: bytes, status: int) -> None:
    refused(status, target)


def test_path_and_query_are_those_that_the_client_wrote() -> None:
    for rest in (b"//evil.example/x", b"/%2e%2e/%00?a=%0d%0a&b", b"/a/../b", b"/\\evil", b"/?http://evil.example/"):
        assert asked(rest) == Wanted(NAME, rest)
    assert asked(b"http://video.example.com//evil.example/x").rest == b"//evil.example/x"


def test_a_connection_that_was_made_for_another_name_is_told_so() -> None:
    assert asked(b"/", NAME.encode(), scheme="https", server_name="Video.Example.com").name == NAME
    problem = refused(421, b"/", b"films.example.com", scheme="https", server_name=NAME)
    assert (problem.title, NAME in problem.detail) == ("Connection is not for films.example.com", True)
    assert refused(421, b"https://films.example.com/", NAME.encode(), scheme="https", server_name=NAME)


def test_only_what_can_be_asked_for_is_a_name() -> None:
    good = ("video.example.com", "localhost", "_x.example", "a." * 126 + "b")
    bad = ("", "Video.example.com", "video.example.com.", "a b", "*.example.com", "a." * 127 + "b", "x\n")
    assert [name for name in (*good, *bad) if is_name(name)] == list(good)
