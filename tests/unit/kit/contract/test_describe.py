"""Descriptions are true OpenAPI and say what the declaration says."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import validate

from hanse.kit.contract.declare import Api
from hanse.kit.contract.describe import describe
from hanse.refpoints.mm1.packages import PackageManagement
from hanse.refpoints.mp1.services import LocalityType, ServiceManagement
from hanse.refpoints.mpp_fed.consumption import ServiceConsumption
from hanse.refpoints.table import REFERENCE_POINTS

APIS = sorted({offer.api for point in REFERENCE_POINTS for offer in point.offers}, key=lambda api: api.__name__)


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.__name__)
def test_a_client_generator_accepts_the_description_of_every_api(api: type[Api]) -> None:
    validate(describe(api))


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.__name__)
def test_no_operation_is_left_out_of_a_description(api: type[Api]) -> None:
    told = {op["operationId"] for methods in describe(api)["paths"].values() for op in methods.values()}
    for name, operation in api.operations.items():
        assert (f"{name}_get" if operation.method == "*" else name) in told


def test_a_developer_reads_parameters_shapes_and_refusals_of_discovery() -> None:
    found = describe(ServiceManagement)["paths"]["/services"]["get"]
    names = {p["name"]: p for p in found["parameters"]}
    assert set(names) == {
        "ser_instance_id",
        "ser_name",
        "ser_category_id",
        "scope_of_locality",
        "consumed_local_only",
        "is_local",
        "filter",
        "all_fields",
        "exclude_default",
        "fields",
        "exclude_fields",
    }
    assert set(names["scope_of_locality"]["schema"]["enum"]) == set(LocalityType)
    assert {"200", "400", "401", "403", "404", "406", "414", "429"} == set(found["responses"])
    items = found["responses"]["200"]["content"]["application/json"]["schema"]["items"]
    assert items == {"$ref": "#/components/schemas/ServiceInfo"}


def test_path_parameters_are_spelled_as_in_the_standard() -> None:
    paths = describe(ServiceManagement)["paths"]
    assert "/applications/{appInstanceId}/services/{serviceId}" in paths


def test_bodies_that_stream_and_headers_that_matter_are_told() -> None:
    upload = describe(PackageManagement)["paths"]["/app_packages/{appPkgId}/package_content"]["put"]
    assert list(upload["requestBody"]["content"]) == ["application/zip"]
    assert "202" in upload["responses"]
    created: dict[str, Any] = describe(PackageManagement)["paths"]["/app_packages"]["post"]["responses"]["201"]
    assert "Location" in created["headers"]


def test_what_is_passed_on_is_described_for_every_method() -> None:
    methods = describe(ServiceConsumption)["paths"]["/services/{reference}/{rest}"]
    assert set(methods) == {"get", "post", "put", "patch", "delete"}


def test_a_client_is_not_told_to_expect_what_lists_leave_out() -> None:
    described = describe(PackageManagement)
    schemas, answers = described["components"]["schemas"], described["paths"]["/app_packages"]["get"]["responses"]
    listed = answers["200"]["content"]["application/json"]["schema"]["items"]["$ref"].rpartition("/")[2]
    assert set(schemas["AppPkgInfo"]["required"]) - set(schemas[listed]["required"]) == {"checksum"}
    assert schemas[listed]["properties"] == schemas["AppPkgInfo"]["properties"]


def test_a_developer_reads_what_conditions_and_ranges_are_answered_with() -> None:
    service = describe(ServiceManagement)["paths"]["/services/{serviceId}"]["get"]["responses"]
    assert "content" not in service["304"]
    archive = describe(PackageManagement)["paths"]["/app_packages/{appPkgId}/package_content"]["get"]["responses"]
    assert {"200", "206", "416"} <= set(archive)
