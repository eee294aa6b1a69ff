"""The descriptor on the wire has the standard's own names, odd spellings included."""

from __future__ import annotations

import msgspec

from hanse.model.descriptor import AppD
from hanse.model.descriptor.tosca import parse
from hanse.model.descriptor.traffic import InterfaceDescriptor, TrafficFilter
from tests.unit.model.descriptor.templates import containers, machine, reader, written

MANDATORY = {
    "appDId",
    "appName",
    "appProvider",
    "appSoftVersion",
    "appDVersion",
    "mecVersion",
    "appDescription",
    "swImageDescriptor",
    "appExtCpd",
}


def names(kind: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


def test_attributes_are_those_of_mec_010_2() -> None:
    assert names(AppD) == MANDATORY | {
        "appInfoName",
        "virtualComputeDescriptor",
        "osContainerDescriptor",
        "virtualStorageDescriptor",
        "appServiceRequired",
        "appServiceOptional",
        "appServiceProduced",
        "appFeatureRequired",
        "appFeatureOptional",
        "transportDependencies",
        "appTrafficRule",
        "appDNSRule",
        "appLatency",
        "terminateAppInstanceOpConfig",
        "changeAppInstanceStateOpConfig",
        "userContextTransferCapability",
        "appNetworkPolicy",
        "mciopId",
        "mcioIdentificationData",
        "logicalNode",
        "requestAdditionalCapabilities",
        "mcioConstraintParams",
    }
    assert {field.encode_name for field in msgspec.structs.fields(AppD) if field.required} == MANDATORY


def test_odd_spellings_are_kept() -> None:
    assert {"qCI", "dSCP", "tC", "tgtTunnelAddress", "dstTunnelPort"} < names(TrafficFilter)
    assert {"srcMACAddress", "dstMACAddress", "dstIPAddress"} < names(InterfaceDescriptor)
    encoded = msgspec.json.encode(parse("m", reader({"m": written(containers())})))
    assert b'"wi-fiNetwork":false' in encoded
    assert b'"oAuth2Info":{"grantTypes":["OAUTH2_CLIENT_CREDENTIALS"]' in encoded


def test_what_is_absent_is_left_out_and_read_as_empty() -> None:
    described = parse("m", reader({"m": written(machine())}))
    wire = msgspec.json.encode(described)
    assert set(msgspec.json.decode(wire)) == MANDATORY | {"virtualComputeDescriptor"}
    assert msgspec.json.decode(wire, type=AppD) == described
    assert msgspec.json.decode(wire, type=AppD).app_traffic_rule == ()


def test_a_full_descriptor_survives_the_wire() -> None:
    described = parse("m", reader({"m": written(containers())}))
    assert msgspec.json.decode(msgspec.json.encode(described), type=AppD) == described


def test_versions_are_split_and_trimmed() -> None:
    described = msgspec.structs.replace(parse("m", reader({"m": written(machine())})), mec_version="3.1.1 , 3.2.1")
    assert described.mec_versions == ("3.1.1", "3.2.1")
