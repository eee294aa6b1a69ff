"""Each rule of MEC on a descriptor, broken once: the violation names the field."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import pytest

from hanse.model.descriptor import AppD, check
from hanse.model.descriptor.rules_traffic import is_domain_name
from hanse.model.descriptor.tosca import parse
from tests.unit.model.descriptor.templates import Edit, containers, machine, reader, written


@cache
def wire(kind: str) -> bytes:
    document = containers() if kind == "containers" else machine()
    return msgspec.json.encode(parse("m", reader({"m": written(document)})))


def changed(edit: Edit, kind: str = "containers") -> AppD:
    body: dict[str, Any] = msgspec.json.decode(wire(kind))
    edit(body)
    return msgspec.convert(body, AppD)


@pytest.mark.parametrize("kind", ["containers", "machine"])
def test_a_sound_descriptor_breaks_no_rule(kind: str) -> None:
    assert check(changed(lambda body: None, kind)) == []


def rule(body: dict[str, Any], index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = body["appTrafficRule"][index]
    return found


def transport(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body["appServiceProduced"][0]["transportsSupported"][0]["transport"]
    return found


BREAKS: list[tuple[Edit, str]] = [
    (lambda b: rule(b).update(priority=256), "appTrafficRule[0].priority"),
    (lambda b: rule(b).update(priority=-1), "appTrafficRule[0].priority"),
    (lambda b: rule(b).update(trafficFilter=[]), "appTrafficRule[0].trafficFilter"),
    (lambda b: rule(b).update(action="DROP"), "appTrafficRule[0].dstInterface"),
    (lambda b: rule(b).update(action="DUPLICATE_ENCAPSULATED"), "appTrafficRule[0].dstInterface"),
    (lambda b: rule(b).pop("dstInterface"), "appTrafficRule[0].dstInterface"),
    (lambda b: rule(b).update(filterType="PACKET"), "appTrafficRule[0].trafficFilter[0].direction"),
    (lambda b: rule(b)["trafficFilter"][0].update(direction="up"), "appTrafficRule[0].trafficFilter[0].direction"),
    (lambda b: rule(b)["dstInterface"][0].pop("dstIPAddress"), "appTrafficRule[0].dstInterface[0].dstIPAddress"),
    (lambda b: rule(b, 1)["dstInterface"][0].update(dstIPAddress="x"),
     "appTrafficRule[1].dstInterface[0].dstIPAddress"),
    (lambda b: rule(b, 1)["dstInterface"][1].pop("srcMACAddress"), "appTrafficRule[1].dstInterface[1].srcMACAddress"),
    (lambda b: rule(b, 1).update(trafficRuleId="to-cam"), "appTrafficRule[1].trafficRuleId"),
    (lambda b: b["appDNSRule"].append(b["appDNSRule"][0]), "appDNSRule[1].dnsRuleId"),
    (lambda b: b["appDNSRule"][0].update(ipAddress="::1"), "appDNSRule[0].ipAddress"),
    (lambda b: b["appDNSRule"][0].update(ipAddress="here"), "appDNSRule[0].ipAddress"),
    (lambda b: b["appDNSRule"][0].update(domainName="cam"), "appDNSRule[0].domainName"),
    (lambda b: b["appDNSRule"][0].update(ttl=0), "appDNSRule[0].ttl"),
    (lambda b: b["userContextTransferCapability"].pop("userContextTransferSupport"),
     "userContextTransferCapability.userContextTransferSupport"),
    (lambda b: b["userContextTransferCapability"].update(statefulApplication=False),
     "userContextTransferCapability.userContextTransferSupport"),
    (lambda b: transport(b)["security"]["oAuth2Info"].pop("tokenEndpoint"),
     "appServiceProduced[0].transportsSupported[0].transport.security.oAuth2Info.tokenEndpoint"),
    (lambda b: transport(b).update(protocol="MQTT"), "appServiceProduced[0].transportsSupported[0].transport.protocol"),
    (lambda b: b["transportDependencies"][0].update(labels=[]), "transportDependencies[0].labels"),
    (lambda b: b["appServiceRequired"][0]["serTransportDependencies"][0].update(serializers=[]),
     "appServiceRequired[0].serTransportDependencies[0].serializers"),
    (lambda b: b.update(mecVersion="3.1.1,latest"), "mecVersion"),
    (lambda b: b.pop("mcioIdentificationData"), "mcioIdentificationData"),
    (lambda b: b.pop("osContainerDescriptor"), "virtualComputeDescriptor"),
    (lambda b: b["osContainerDescriptor"][0].update(swImageDesc="x"), "osContainerDescriptor[0].swImageDesc"),
    (lambda b: b.update(swImageDescriptor=[]), "swImageDescriptor"),
    (lambda b: b.update(appExtCpd=[]), "appExtCpd"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "path"), BREAKS)
def test_a_broken_rule_names_the_field(edit: Edit, path: str) -> None:
    assert path in [violation.path for violation in check(changed(edit))]


@pytest.mark.parametrize(
    ("edit", "path"),
    [
        (lambda b: b.update(mcioIdentificationData={"name": "x", "type": "Deployment"}), "mcioIdentificationData"),
        (lambda b: b.update(mciopId="x"), "mciopId"),
        (lambda b: b.update(logicalNode=[{"id": "x"}]), "logicalNode"),
        (lambda b: b["swImageDescriptor"].append(b["swImageDescriptor"][0]), "swImageDescriptor"),
    ],
)
def test_a_virtual_machine_has_nothing_of_containers(edit: Edit, path: str) -> None:
    assert [violation.path for violation in check(changed(edit, "machine"))] == [path]


def test_the_implicit_grant_needs_no_token_endpoint() -> None:
    implicit = {"oAuth2Info": {"grantTypes": ["OAUTH2_IMPLICIT_GRANT"]}}
    assert check(changed(lambda body: transport(body).update(security=implicit))) == []


def test_a_descriptor_for_other_versions_only_is_refused_where_a_system_says_which_it_knows() -> None:
    described = changed(lambda body: None)
    assert check(described, supported=("3.1.1", "2.2.1")) == []
    assert [violation.path for violation in check(described, supported=("9.9.9",))] == ["mecVersion"]


def test_a_violation_reads_as_a_sentence() -> None:
    [violation] = check(changed(lambda body: rule(body).update(priority=256)))
    assert str(violation) == "appTrafficRule[0].priority: is 0 (first) to 255, not 256"


@pytest.mark.parametrize(
    ("name", "sound"),
    [("a.example", True), ("a.example.", True), ("_srv.a.example", True), ("a", False), ("-a.example", False),
     ("*.a.example", False), ("bücher.example", False),
     ("a..example", False), ("a b.example", False), ("x" * 64 + ".example", False), ("a." * 127 + "example", False)],
)  # fmt: skip
def test_only_full_names_are_domain_names(name: str, sound: bool) -> None:
    assert is_domain_name(name) is sound
