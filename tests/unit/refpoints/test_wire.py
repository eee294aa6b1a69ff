"""What crosses a reference point is read as it was written, also by a reader of another edition."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from hanse.kit.contract.declare import Operation, Stream, payload_type
from hanse.kit.contract.exchange import Exchange
from hanse.kit.values import Link
from hanse.refpoints.mm1.lifecycle import InstantiateAppRequest
from hanse.refpoints.mp1.support import OperationAction, TerminationLinks, TerminationNotification
from hanse.refpoints.table import REFERENCE_POINTS
from tests.contract.samples import sample

APIS = {offer.api for point in REFERENCE_POINTS for offer in point.offers}
OPERATIONS = sorted((o for api in APIS for o in api.operations.values()), key=lambda o: (o.path, o.method, o.name))
PLAIN = re.compile(r"[a-z][A-Za-z0-9]*|_links|wi-fiNetwork")


def shapes(operation: Operation) -> list[Any]:
    """The types of the bodies of an operation that are JSON."""
    found = (operation.body, payload_type(operation.returns))
    return [shape for shape in found if shape not in (None, Stream, Exchange)]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_value_survives_the_wire(operation: Operation) -> None:
    for shape in shapes(operation):
        value = sample(shape)
        assert msgspec.json.decode(msgspec.json.encode(value), type=shape) == value


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_attribute_of_a_later_edition_is_no_error(operation: Operation) -> None:
    for shape in shapes(operation):
        plain = msgspec.to_builtins(sample(shape))
        if isinstance(plain, dict):
            newer = msgspec.json.encode(plain | {"inventedLater": {"deep": [1]}})
            assert msgspec.json.decode(newer, type=shape) == sample(shape)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_attributes_are_lower_camel_on_the_wire(operation: Operation) -> None:
    for shape in shapes(operation):
        _, components = msgspec.json.schema_components([shape])
        for name, component in components.items():
            strange = [p for p in component.get("properties", {}) if not PLAIN.fullmatch(p)]
            assert strange == [], name


def test_the_names_that_no_rule_gives_are_the_standards() -> None:
    notice = TerminationNotification(
        operation_action=OperationAction.STOPPING,
        max_graceful_timeout=3,
        links=TerminationLinks(subscription=Link(href="here"), confirm_termination=Link(href="there")),
    )
    assert set(msgspec.to_builtins(notice)) == {
        "operationAction",
        "maxGracefulTimeout",
        "_links",
        "notificationType",
    }
    hosts = b'{"selectedMECHostInfo":[{"hostId":{"name":"harbour"}}]}'
    assert msgspec.json.encode(msgspec.json.decode(hosts, type=InstantiateAppRequest)) == hosts
