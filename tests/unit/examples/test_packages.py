"""The package sources: complete, self-contained, and true to the programs in them."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hanse.model.package.images import image_files
from tests.unit.examples.running import EXAMPLES

NAMES = ("navigation", "speech")
LIBRARY = EXAMPLES / "lib" / "mec_app"


def image(name: str) -> Path:
    return EXAMPLES / name / "Artifacts" / "Images" / name


def descriptor(name: str) -> Any:
    return yaml.safe_load((EXAMPLES / name / "Definitions" / f"{name}.yaml").read_text())


def application(name: str) -> Any:
    return descriptor(name)["topology_template"]["node_templates"][name]["properties"]


def sources(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): path.read_text() for path in image_files(directory) if path.suffix == ".py"
    }


@pytest.mark.parametrize("name", NAMES)
def test_an_image_carries_the_library_that_the_applications_share(name: str) -> None:
    assert sources(image(name) / "mec_app") == sources(LIBRARY)
    assert "mec_app/app.py" in sources(image(name))


@pytest.mark.parametrize("name", NAMES)
def test_an_image_needs_nothing_but_the_standard_library(name: str) -> None:
    own = {path.stem for path in image(name).iterdir()}
    for path, text in sources(image(name)).items():
        for node in ast.walk(ast.parse(text)):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module or ""]
            for module in modules:
                assert module.split(".")[0] in own | sys.stdlib_module_names, f"{path} imports {module}"


@pytest.mark.parametrize("name", NAMES)
def test_the_command_of_an_image_runs_its_program(name: str) -> None:
    command = json.loads((image(name) / "process.json").read_text())["command"]
    assert command == ["python3", f"{name}.py"]
    assert (image(name) / command[1]).is_file()


@pytest.mark.parametrize("name", NAMES)
def test_a_source_tree_has_every_part_of_a_package(name: str) -> None:
    assert (EXAMPLES / name / "ChangeLog.txt").read_text().startswith("1.0  20")
    assert "Apache-2.0" in (EXAMPLES / name / "Licenses" / "LICENSE.txt").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_descriptor_fixes_what_the_standard_wants_fixed(name: str) -> None:
    (kind, definition) = next(iter(descriptor(name)["node_types"].items()))
    assert definition["derived_from"] == "tosca.nodes.mec.MecApp"
    for fixed in ("descriptor_id", "provider", "product_name", "software_version", "descriptor_version"):
        value = definition["properties"][fixed]
        assert value["constraints"] == [{"equal": value["default"]}]
    nodes = descriptor(name)["topology_template"]["node_templates"]
    assert [node for node, value in nodes.items() if value["type"] == kind] == [name]
    assert nodes[f"{name}_process"]["artifacts"]["sw_image"]["file"] == f"Artifacts/Images/{name}.tar.gz"


def test_navigation_wants_the_service_that_speech_produces() -> None:
    import listening
    import speech

    wanted = application("navigation")["app_service_optional"][0]
    produced = application("speech")["app_service_produced"][0]
    registered = speech.service_info("http://127.0.0.1:1")
    assert wanted["ser_name"] == produced["ser_name"] == registered["serName"] == listening.SERVICE
    assert wanted["version"] == produced["version"] == registered["version"]
    transport = produced["transport_supported"][0]["transport"]
    assert (transport["type"], transport["protocol"]) == ("REST_HTTP", "HTTP")


def test_the_name_of_navigation_leads_to_the_address_that_its_traffic_rule_takes() -> None:
    rule, name = application("navigation")["app_traffic_rule"][0], application("navigation")["app_dns_rule"][0]
    assert [name["ip_address"]] == rule["traffic_filter"][0]["dst_address"]
    assert rule["dst_interface"] == [{"interface_type": "IP", "dst_ip_address": "0.0.0.0"}]
