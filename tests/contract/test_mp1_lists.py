"""Mp1, lists: filtered, shortened and read in pages like all others (ETSI GS MEC 009 V3.1.1, 6.18 to 6.20)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from hanse.assembly.limits import LimitSettings
from hanse.model.descriptor import traffic
from tests.contract.mp1_host import App, Host, Reply, hosting, refused
from tests.contract.test_mp1_services import CATEGORY, TRANSPORT, fresh, register

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVICES = "/mec_service_mgmt/v1/services"
TRANSPORTS = "/mec_service_mgmt/v1/transports"
PAGE = 3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Host]:
    """A host that answers three items of a list at a time."""
    async with hosting(tmp_path_factory.mktemp("paging"), LimitSettings(page_size=PAGE)) as host:
        yield host


async def offering(host: Host, **services: dict[str, Any]) -> tuple[App, str]:
    """An app that offers these services under one name of its own, each with its version."""
    name = fresh()
    app = await host.app(name)
    for version, more in services.items():
        assert (await register(app, name, version=version, **more)).status == 201
    return app, name


async def answered(app: App, target: str) -> Reply:
    reply = await app.call("GET", target)
    assert reply.status == 200, reply
    return reply


def versions(reply: Reply) -> list[str]:
    return [service["version"] for service in reply.body]


def following(reply: Reply) -> str:
    """The URI of the next page, which is absolute and all that a client needs."""
    link = reply.headers["link"]
    assert link.endswith('>; rel="next"')
    return link[1:].partition(">")[0]


def rule(identifier: str, port: str) -> traffic.TrafficRuleDescriptor:
    itself = traffic.InterfaceDescriptor(interface_type=traffic.InterfaceType.IP, dst_ip_address="0.0.0.0")
    return traffic.TrafficRuleDescriptor(
        traffic_rule_id=identifier,
        filter_type=traffic.FilterType.FLOW,
        priority=1,
        traffic_filter=(traffic.TrafficFilter(dst_address=("127.9.1.1",), dst_port=(port,), protocol=("tcp",)),),
        action=traffic.Action.FORWARD_DECAPSULATED,
        dst_interface=(itself,),
    )


async def test_a_filter_reaches_every_attribute_of_a_service_beside_its_own_parameters(host: Host) -> None:
    bus = {"transportInfo": TRANSPORT | {"type": "MB_PUBSUB", "protocol": "MQTT"}}
    app, name = await offering(host, a={}, b={"serCategory": CATEGORY}, c={"serializer": "XML"}, d=bus)
    for text, expected in {
        "(eq,version,a)": ["a"],
        "(gte,version,c)": ["c", "d"],
        "(in,version,a,d);(neq,transportInfo/protocol,MQTT)": ["a"],
        "(eq,serCategory/id,speech)": ["b"],
        "(cont,transportInfo/type,PUBSUB)": ["d"],
        "(eq,transportInfo/endpoint/uris,http://127.0.0.9:8080/);(eq,serializer,XML)": ["c"],
        "(eq,isLocal,TRUE);(eq,version,b)": ["b"],
        "(eq,version,none)": [],
    }.items():
        for target in (f"{SERVICES}?ser_name={name}&", f"/mec_service_mgmt/v1/applications/{app.id}/services?"):
            assert versions(await answered(app, f"{target}filter={quote(text)}")) == expected, text


async def test_an_encoded_filter_is_no_less_a_filter(host: Host) -> None:
    app, name = await offering(host, a={}, b={})
    assert versions(await answered(app, f"{SERVICES}?ser_name={name}&%66ilter=(eq,version,b)")) == ["b"]


async def test_selectors_shorten_what_is_optional_and_has_parts(host: Host) -> None:
    app, name = await offering(host, a={"serCategory": CATEGORY})
    here = f"{SERVICES}?ser_name={name}"
    (whole,) = (await answered(app, here)).body
    assert {"serCategory", "transportInfo", "_links"} <= set(whole)
    for same in ("all_fields", "exclude_default"):
        assert (await answered(app, f"{here}&{same}")).body == [whole]
    (without,) = (await answered(app, f"{here}&exclude_fields=transportInfo,_links")).body
    assert without == {key: value for key, value in whole.items() if key not in ("transportInfo", "_links")}
    (only,) = (await answered(app, f"{here}&fields=serCategory")).body
    assert "serCategory" in only
    assert {"transportInfo", "_links"}.isdisjoint(only)
    assert {"serName", "version", "state", "serializer"} <= set(only)


async def test_pages_hold_each_service_once_and_keep_to_the_query(host: Host) -> None:
    app, name = await offering(host, **{str(number): {} for number in range(7)})
    first = await answered(app, f"{SERVICES}?ser_name={name}&consumed_local_only=true")
    second = await answered(app, following(first))
    await register(app, name, version="late")
    third = await answered(app, following(second))
    pages = [versions(reply) for reply in (first, second, third)]
    assert pages == [["0", "1", "2"], ["3", "4", "5"], ["6", "late"]]
    assert "link" not in third.headers
    filtered = await answered(app, f"{SERVICES}?ser_name={name}&filter={quote('(neq,version,1)')}&fields=serCategory")
    assert versions(filtered) == ["0", "2", "3"]
    rest = await answered(app, following(filtered))
    assert versions(rest) == ["4", "5", "6"]
    assert all("transportInfo" not in service for service in rest.body)


@pytest.mark.parametrize(
    "change",
    [{"scopeOfLocality": "ZONE"}, {"consumedLocalOnly": False}, {"state": "INACTIVE"}, {"serCategory": CATEGORY}],
)
async def test_a_service_that_changes_while_pages_are_read_hides_none(host: Host, change: dict[str, Any]) -> None:
    app, name = await offering(host, **{str(number): {} for number in range(7)})
    first = await answered(app, f"{SERVICES}?ser_name={name}")
    newest = f"{SERVICES.removesuffix('services')}applications/{app.id}/services/{first.body[-1]['serInstanceId']}"
    whole = (await answered(app, newest)).body
    assert (await app.call("PUT", newest, whole | change)).status == 200
    second = await answered(app, following(first))
    third = await answered(app, following(second))
    assert [versions(reply) for reply in (first, second, third)] == [["0", "1", "2"], ["3", "4", "5"], ["6"]]


async def test_a_page_that_is_exactly_full_is_the_last(host: Host) -> None:
    app, name = await offering(host, a={}, b={}, c={})
    reply = await answered(app, f"{SERVICES}?ser_name={name}")
    assert versions(reply) == ["a", "b", "c"]
    assert "link" not in reply.headers


async def test_rules_and_transports_are_lists_like_any_other(host: Host) -> None:
    names = [
        traffic.DNSRuleDescriptor(
            dns_rule_id=identifier,
            domain_name=f"{identifier}.{fresh()}.example.com",
            ip_address_type=traffic.IpAddressType.IP_V4,
            ip_address="127.9.1.1",
        )
        for identifier in "abcd"
    ]
    rules = tuple(rule(identifier, port) for identifier, port in zip("abcd", ("81", "82", "83", "84"), strict=True))
    app = await host.app(traffic=rules, names=tuple(names))
    for family, key in (("traffic_rules", "trafficRuleId"), ("dns_rules", "dnsRuleId")):
        reply = await app.support("GET", f"/{family}")
        assert [r[key] for r in reply.body] == ["a", "b", "c"]
        assert [r[key] for r in (await answered(app, following(reply))).body] == ["d"]
        found = await app.support("GET", f"/{family}?filter={quote(f'(in,{key},b,d)')}")
        assert [r[key] for r in found.body] == ["b", "d"]
    found = await app.support("GET", f"/traffic_rules?filter={quote('(eq,trafficFilter/dstPort,83)')}")
    assert [r["trafficRuleId"] for r in found.body] == ["c"]
    (transport,) = (await answered(app, "/mec_service_mgmt/v1/transports?filter=(eq,type,REST_HTTP)")).body
    assert (await answered(app, f"/mec_service_mgmt/v1/transports?filter=(neq,id,{transport['id']})")).body == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("filter=(eq,colour,red)", ("filter", "colour")),
        ("filter=(like,version,a)", ("filter", "like", "eq")),
        ("filter=(eq,transportInfo,a)", ("filter", "transportInfo")),
        ("filter=(eq,state,ASLEEP)", ("filter", "state", "ACTIVE")),
        ("fields=sails", ("fields", "sails")),
        ("exclude_fields=version", ("exclude_fields", "version")),
        ("all_fields&fields=serCategory", ("all_fields", "fields")),
        ("nextpage_opaque_marker=2", ("nextpage_opaque_marker", "Link")),
    ],
)
async def test_a_filter_or_selector_that_cannot_be_meant_is_refused_by_name(
    host: Host, query: str, words: tuple[str, ...]
) -> None:
    app = await host.app()
    refused(await app.call("GET", f"{SERVICES}?{query}"), 400, *words)
    refused(await app.services("GET", f"/services?{query}"), 400, *words)


async def test_who_errs_in_a_query_is_told_of_filters_and_selectors_too(host: Host) -> None:
    app = await host.app()
    own_services = f"{SERVICES.removesuffix('services')}applications/{app.id}/services"
    for path, own in ((SERVICES, "ser_name"), (own_services, "is_local"), (TRANSPORTS, "filter")):
        reply = await app.call("GET", f"{path}?serName=a")
        refused(reply, 400, "Unknown query parameter serName", own, "filter", "fields", "exclude_fields", "all_fields")
