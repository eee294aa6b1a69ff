"""Devices are led by HTTP to what the operator or an app of the host names, and to nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from hanse.elements.mep.app_rules.rules import dns_rule, names, traffic_rule
from hanse.elements.mep.records import AppRecord
from hanse.elements.mep.steering import redirection as redirection_module
from hanse.elements.mep.steering.redirection import Redirection, base_of, location, port_at
from hanse.elements.mep.steering.redirection_request import Request
from hanse.kit.problems import Problem
from hanse.kit.store import Shelf, Transaction
from hanse.model.descriptor.traffic import DNSRuleDescriptor, IpAddressType, TrafficFilter
from hanse.refpoints.mm1.steering import Preference, SteeringPolicies, SteeringPolicy, Target
from hanse.refpoints.mm5.platform import AppConfiguration, AppPhase
from hanse.refpoints.mp2 import NameRecord
from tests.unit.elements.mep.parts import DEVICES, Bench, configuration

NAME, OF_AN_APP = "video.example.com", "app.example.com"
ALICE, BOB, STRANGER = "127.9.100.5", "127.9.100.6", "127.9.100.99"
QUAY = Target(host="quay", address="127.3.0.1", location="https://video-quay.example.com:8443")
GATE = Target(host="gate", address="2001:db8::7")
POLICY = SteeringPolicy(
    name=NAME,
    targets=(QUAY, GATE),
    preferences=(Preference(to="gate", devices=("bob",)), Preference(to="quay", subnets=("127.9.100.99/32",))),
)


@pytest.fixture
def bench() -> Bench:
    return Bench(devices=DEVICES)


def led(bench: Bench, peer: str = ALICE, target: bytes = b"/", name: str = NAME, **named: str) -> str:
    return bench.platform.redirection.location(
        Request(named.get("scheme", "http"), target, (name.encode(),), peer, named.get("server_name", ""))
    )


def refused(status: int, bench: Bench, **named: str) -> Problem:
    with pytest.raises(Problem) as caught:
        led(bench, **named)  # type: ignore[arg-type]
    assert caught.value.status == status
    return caught.value


async def lead(bench: Bench, policy: SteeringPolicy) -> None:
    await bench.platform.policies.set_policy(policy.name, policy)


async def run(bench: Bench, app: AppConfiguration) -> None:
    await bench.platform.configuration.configure(app.app_instance_id, app)
    await bench.platform.configuration.activate(app.app_instance_id)


@pytest.mark.parametrize(
    "name", ["evil.example", "127.3.0.1", "[::1]", "video.example.com.evil.example", "example.com"]
)
async def test_a_name_that_nobody_named_is_led_nowhere(bench: Bench, name: str) -> None:
    await lead(bench, POLICY)
    assert name.strip("[]") in refused(404, bench, name=name).detail


async def test_each_device_is_led_by_the_policy_that_stands_and_the_next_request_by_the_next(bench: Bench) -> None:
    await lead(bench, POLICY)
    there = {ALICE: "https://video-quay.example.com:8443/a?b", BOB: "http://[2001:db8::7]/a?b"}
    assert {peer: led(bench, peer, b"/a?b") for peer in there} == there
    assert led(bench, STRANGER).startswith("https://video-quay")
    await lead(bench, replace(POLICY, preferences=(Preference(to="gate", devices=("alice",)),)))
    assert (led(bench, ALICE), led(bench, BOB)) == ("http://[2001:db8::7]/", "https://video-quay.example.com:8443/")
    await bench.platform.policies.remove_policy(NAME)
    refused(404, bench)


async def test_a_device_is_known_also_when_it_comes_by_an_ipv6_socket(bench: Bench) -> None:
    await lead(bench, POLICY)
    assert led(bench, f"::ffff:{BOB}") == led(bench, BOB)


async def test_an_absolute_target_is_led_by_its_own_name(bench: Bench) -> None:
    await lead(bench, POLICY)
    assert led(bench, BOB, b"http://VIDEO.example.com:8480/x?y", name="evil.example") == "http://[2001:db8::7]/x?y"
    with pytest.raises(Problem, match="404"):
        led(bench, BOB, b"http://evil.example/x")


async def test_a_policy_without_a_host_that_is_there_says_when_to_come_again(bench: Bench) -> None:
    await lead(bench, replace(POLICY, targets=(), ttl=7))
    assert refused(503, bench).headers == {"Retry-After": "7"}


async def test_who_came_by_tls_is_never_led_to_plain_http(bench: Bench) -> None:
    plain = replace(QUAY, location="http://video-quay.example.com:8080")
    await lead(bench, replace(POLICY, targets=(plain, GATE)))
    assert "come by http" in refused(421, bench, scheme="https").detail
    assert led(bench) == "http://video-quay.example.com:8080/"
    assert led(bench, BOB, scheme="https") == "https://[2001:db8::7]/"


async def test_a_name_of_an_app_leads_to_its_virtual_address_and_port_while_it_runs(bench: Bench) -> None:
    app = configuration("a")
    await bench.platform.configuration.configure("a", app)
    refused(404, bench, name=OF_AN_APP)
    await bench.platform.configuration.activate("a")
    assert led(bench, name=OF_AN_APP) == "http://127.9.1.1/"
    assert led(bench, name=OF_AN_APP, scheme="https") == "https://127.9.1.1/"
    await bench.platform.configuration.forget("a")
    refused(404, bench, name=OF_AN_APP)
    rule = replace(
        app.traffic_rules[0], traffic_filter=(TrafficFilter(dst_address=("127.9.1.1",), dst_port=("8000",)),)
    )
    await run(bench, replace(app, traffic_rules=(rule,)))
    assert led(bench, name="APP.example.com.") == "http://127.9.1.1:8000/"


async def test_a_policy_outranks_the_rule_of_an_app_and_gives_way_when_it_leads_nowhere(bench: Bench) -> None:
    await run(bench, configuration("a"))
    await lead(bench, replace(POLICY, name=OF_AN_APP))
    assert led(bench, name=OF_AN_APP).startswith("https://video-quay")
    await lead(bench, replace(POLICY, name=OF_AN_APP, targets=()))
    assert led(bench, name=OF_AN_APP) == "http://127.9.1.1/"


async def test_a_device_is_led_to_an_address_of_the_family_by_which_it_came(bench: Bench) -> None:
    six = DNSRuleDescriptor(
        dns_rule_id="six", domain_name=OF_AN_APP, ip_address_type=IpAddressType.IP_V6, ip_address="2001:db8::1"
    )
    app = configuration("a")
    await run(bench, replace(app, dns_rules=(six, *app.dns_rules)))
    assert led(bench, name=OF_AN_APP) == "http://127.9.1.1/"
    assert led(bench, "2001:db8::99", name=OF_AN_APP) == "http://[2001:db8::1]/"


@pytest.mark.parametrize(
    ("ports", "protocol", "port"),
    [
        (("80",), (), 80),
        (("8000", "8000"), ("tcp",), 8000),
        (("80", "443"), (), None),
        (("8000-8009",), (), None),
        ((), (), None),
        (("53",), ("udp",), None),
        (("53",), ("udp", "TCP"), 53),
        (("53",), ("6",), 53),
        (("53",), ("17",), None),
    ],
)
async def test_only_a_port_that_is_alone_is_told(
    bench: Bench, ports: tuple[str, ...], protocol: tuple[str, ...], port: int | None
) -> None:
    app = configuration("a")
    traffic = TrafficFilter(dst_address=("127.9.1.1",), dst_port=ports, protocol=protocol)
    rule = replace(app.traffic_rules[0], traffic_filter=(traffic,))
    await run(bench, replace(app, traffic_rules=(rule,)))
    record = bench.platform.records.apps.get("a")
    assert port_at(record, "127.9.1.1") == port
    assert port_at(record, "127.9.1.2") is None


async def test_a_request_reads_nothing_of_apps_that_have_other_names(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(app: AppRecord) -> list[NameRecord]:
        read.append(app.app_instance_id)
        return names(app)

    def refused(*_: object) -> Any:
        raise AssertionError("all apps were looked at")

    def keep(tx: Transaction) -> None:
        for app in made:
            tx.put(bench.platform.records.apps, app.app_instance_id, app)

    made = [running(f"app-{number}", f"Name-{number}.example.com.") for number in range(1000)]
    monkeypatch.setattr(redirection_module, "names", counted)
    await bench.store.commit(keep)
    assert 1 <= len(read) / len(made) <= 2, "each is read when it changes"
    read.clear()
    monkeypatch.setattr(Shelf, "values", refused)
    monkeypatch.setattr(Shelf, "items", refused)
    for number in range(0, 1000, 10):
        assert led(bench, name=f"name-{number}.example.com") == "http://127.9.1.1/"
    with pytest.raises(Problem, match="404"):
        led(bench, name="name-1000.example.com")
    assert read == []


def running(app_instance_id: str, name: str) -> AppRecord:
    """An app that runs, with a name."""
    described = configuration(app_instance_id)
    return AppRecord(
        configuration=described,
        phase=AppPhase.READY,
        traffic_rules=tuple(traffic_rule(rule) for rule in described.traffic_rules),
        dns_rules=tuple(replace(dns_rule(rule), domain_name=name) for rule in described.dns_rules),
        active=True,
    )


async def test_a_certificate_stands_for_what_the_operator_named_and_for_no_name_of_others(bench: Bench) -> None:
    names = [
        DNSRuleDescriptor(dns_rule_id=n, domain_name=n, ip_address_type=IpAddressType.IP_V4, ip_address="127.9.1.1")
        for n in ("app.Example.com.", "www.bank.test", "notexample.com", "a b.example.com", "*.example.com")
    ]
    await run(bench, replace(configuration("a"), dns_rules=tuple(names)))
    await lead(bench, replace(POLICY, name="films.others.test"))
    redirection = Redirection("harbour", bench.platform.records, DEVICES, ("example.com.",))
    assert redirection.certified() == ["app.example.com", "films.others.test"]
    assert Redirection("harbour", bench.platform.records, DEVICES).certified() == ["films.others.test"]


async def test_whoever_certifies_is_told_when_names_come_and_go(bench: Bench) -> None:
    changed = bench.platform.redirection.changed
    for change in (lead(bench, POLICY), run(bench, configuration("a")), bench.platform.policies.remove_policy(NAME)):
        changed.clear()
        await change
        assert changed.is_set()


@pytest.mark.parametrize(
    ("rest", "there"),
    [
        (b"/", "/"),
        (b"//evil.example/x", "//evil.example/x"),
        (b"/\\evil.example", "/\\evil.example"),
        (b"/%0d%0aSet-Cookie:%20a=b?c=%E2%82%AC", "/%0d%0aSet-Cookie:%20a=b?c=%E2%82%AC"),
        (b"/\r\nSet-Cookie: a=b", "/%0D%0ASet-Cookie:%20a=b"),
        (b"/a?b=[1]&c=%&d={e}|f", "/a?b=[1]&c=%&d={e}|f"),
        (b"/\x00\x7f\xff\t", "/%00%7F%FF%09"),
        (b"/a#@evil.example", "/a%23@evil.example"),
        (b"/?" + b"q" * 8000, "/?" + "q" * 8000),
    ],
)
def test_a_location_begins_with_the_place_and_keeps_the_rest_so_that_no_header_breaks(rest: bytes, there: str) -> None:
    assert location("http://127.3.0.1:8000", rest) == f"http://127.3.0.1:8000{there}"


def test_a_place_is_what_the_policy_says_or_else_the_address_by_the_scheme_of_the_request() -> None:
    assert base_of(QUAY, "http") == base_of(QUAY, "https") == QUAY.location
    assert base_of(GATE, "https") == "https://[2001:db8::7]"
    assert base_of(Target(host="quay", address="127.3.0.1"), "http") == "http://127.3.0.1"


@pytest.mark.parametrize(
    "wrong",
    [
        "video-quay.example.com",
        "ftp://video-quay.example.com",
        "https://user@video-quay.example.com",
        "https://video-quay.example.com/",
        "https://video-quay.example.com:0",
        "https://video-quay.example.com:65536",
        "https://video quay",
        "https://video-quay\r\nx: y",
        "https://[2001:db8::7",
        "https://[2001:zz::7]",
        "https://Video.example.com:9",
    ],
)
async def test_a_policy_whose_location_is_no_place_or_leads_round_is_refused(bench: Bench, wrong: str) -> None:
    with pytest.raises(Problem, match=r"targets\.location") as caught:
        await lead(bench, replace(POLICY, targets=(replace(QUAY, location=wrong),)))
    assert caught.value.status == 400
    policies = bench.platform.apis()[SteeringPolicies]
    assert isinstance(policies, SteeringPolicies)
    assert await policies.list_policies() == []
