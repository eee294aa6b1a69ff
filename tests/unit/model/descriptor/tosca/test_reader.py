"""Service templates: sound ones give an AppD, every rule that one breaks is reported with its place."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
import yaml

from hanse.kit.problems import Problem
from hanse.model.descriptor import AppD
from hanse.model.descriptor.tosca import Reading, examine, parse
from tests.unit.model.descriptor.templates import (
    APPLICATION,
    REST,
    Edit,
    containers,
    machine,
    reader,
    written,
)

Document = dict[str, Any]
NODES = "topology_template.node_templates"
APP = f"{NODES}.app.properties"
POLICIES = "topology_template.policies"
MAPPING = "topology_template.substitution_mappings"
FIXED = f"node_types.{APPLICATION}.properties"


def reading(document: Document, **files: bytes) -> Reading:
    return examine("main.yaml", reader({"main.yaml": written(document), **files}))


def appd(document: Document) -> AppD:
    found = reading(document)
    assert found.violations == ()
    assert found.appd is not None
    return found.appd


def nodes(document: Document) -> Document:
    found: Document = document["topology_template"]["node_templates"]
    return found


def app(document: Document) -> Document:
    found: Document = nodes(document)["app"]["properties"]
    return found


def test_a_virtual_machine_is_described() -> None:
    found = appd(machine())
    assert (found.app_d_id, found.app_name) == ("7b0b6a52-1c2d-4f6e-9f0e-3a5d7c9b1e24", "hello")
    assert found.virtual_compute_descriptor
    assert found.virtual_compute_descriptor.virtual_memory.virtual_mem_size == 536.870912
    [image] = found.sw_image_descriptor
    assert (image.sw_image, image.size) == ("Artifacts/Images/a.qcow2", 200_000_000)
    assert found.app_ext_cpd[0].layer_protocol == ("IPV4",)


def test_containers_with_everything_of_mec_are_described() -> None:
    found = appd(containers())
    assert found.os_container_descriptor[0].sw_image_desc == found.sw_image_descriptor[0].id
    assert found.os_container_descriptor[0].requested_memory_resources == 256
    assert found.mciop_id == "chart"
    assert found.mcio_constraint_params == ("localAffinityCisNode",)
    assert found.virtual_storage_descriptor[0].type_of_storage == "BLOCK"
    assert [rule.traffic_rule_id for rule in found.app_traffic_rule] == ["to-cam", "tap"]
    assert found.terminate_app_instance_op_config
    assert found.terminate_app_instance_op_config.max_recommended_graceful_termination_timeout == 120


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: app(d).update(mec_version="3.1.1, 3.2.1"),
        lambda d: app(d)["app_service_produced"][0].update(
            transports_supported=app(d)["app_service_produced"][0].pop("transport_supported")
        ),
        lambda d: app(d)["app_service_produced"][0]["transport_supported"][0]["transport"].update(type="WEBSOCKETS"),
        lambda d: app(d)["app_dns_rule"][0].pop("ttl"),
        lambda d: d.update(imports=["https://forge.etsi.org/rep/mec/gs037-pkg-format/raw/v3.2.1/MecAppDTypes.yaml"]),
        lambda d: d.update(imports=[{"file": "etsi_nfv_sol001_vnfd_types.yaml"}, {"x": {"file": "MecAppDTypes.yaml"}}]),
        lambda d: d["node_types"][APPLICATION]["properties"].update(colour={"type": "string", "default": "red"}),
        lambda d: mapping(d).update(requirements=[{"virtual_link": ["cp", "virtual_link"]}]),
    ],
)  # fmt: skip
def test_what_the_standard_lets_pass_is_tolerated(edit: Edit) -> None:
    document = copy.deepcopy(containers())
    document = yaml.safe_load(yaml.dump(document, Dumper=_NoAlias))
    edit(document)
    assert reading(document).violations == ()


class _NoAlias(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def test_the_application_type_may_be_in_a_file_of_the_archive() -> None:
    document = machine()
    types = {key: document.pop(key) for key in ("node_types",)} | {"tosca_definitions_version": "tosca_simple_yaml_1_3"}
    document["imports"] = ["types/own.yaml"]
    files = {"Definitions/main.yaml": written(document), "Definitions/types/own.yaml": written(types)}
    assert examine("Definitions/main.yaml", reader(files)).violations == ()


def test_a_transport_of_mec_037_gets_its_type_as_name() -> None:
    transport = appd(containers()).transport_dependencies[0].transport
    assert (transport.name, transport.protocol) == ("REST_HTTP", REST["transport"]["protocol"])


BREAKS: list[tuple[str, Edit, str]] = [
    ("version", lambda d: d.update(tosca_definitions_version="1.2"), "main.yaml: tosca_definitions_version"),
    ("unknown url", lambda d: d["imports"].append("https://example.com/x.yaml"), "main.yaml: imports[1]"),
    ("false forge", lambda d: d["imports"].append("https://evil.example/MecAppDTypes.yaml"), "main.yaml: imports[1]"),
    ("absent file", lambda d: d["imports"].append("absent.yaml"), "absent.yaml"),
    ("outside", lambda d: d["imports"].append("../../etc/passwd"), "main.yaml: imports[1]"),
    ("no import", lambda d: d.update(imports=[7]), "main.yaml: imports[0]"),
    ("imports", lambda d: d.update(imports="x"), "main.yaml: imports"),
    ("no topology", lambda d: d.pop("topology_template"), "main.yaml: topology_template"),
    ("no nodes", lambda d: d["topology_template"].pop("node_templates"), NODES),
    ("no application", lambda d: nodes(d).pop("app"), NODES),
    ("two applications", lambda d: nodes(d).update(other=nodes(d)["app"]), NODES),
    ("abstract", lambda d: nodes(d)["app"].update(type="tosca.nodes.mec.MecApp"), f"{NODES}.app.type"),
    ("type", lambda d: nodes(d)["cp"].update(type="tosca.nodes.nfv.VnfVirtualLink"), f"{NODES}.cp.type"),
    ("not fixed", lambda d: fixed(d).pop("provider"), f"{FIXED}.provider"),
    ("no constraint", lambda d: fixed(d)["provider"].pop("constraints"), f"{FIXED}.provider"),
    ("default", lambda d: fixed(d)["provider"].update(default="Else"), f"{FIXED}.provider"),
    ("overridden", lambda d: app(d).update(provider="Else"), f"{FIXED}.provider"),
    ("number", lambda d: fixed(d)["software_version"].update(default=1.0), f"{APP}.software_version"),
    ("vnfm_info", lambda d: fixed(d)["vnfm_info"].update(default=["x"]), f"{APP}.vnfm_info[0]"),
    ("flavour", lambda d: app(d).update(flavour_id="large"), f"{APP}.flavour_id"),
    ("description", lambda d: app(d).pop("product_info_description"), f"{APP}.product_info_description"),
    ("mec_version", lambda d: app(d).update(mec_version=["3"]), f"{APP}.mec_version[0]"),
    ("unknown", lambda d: app(d).update(colour="red"), f"{APP}.colour"),
    ("no unit", lambda d: nodes(d).pop("vm"), NODES),
    ("both", lambda d: nodes(d).update(pod=containers_node("pod")), NODES),
    ("chart", lambda d: nodes(d).update(chart=containers_node("chart")), f"{NODES}.chart"),
    ("profile", lambda d: nodes(d)["vm"]["properties"]["vdu_profile"].update(max_number_of_instances=2),
     f"{NODES}.vm.properties.vdu_profile.max_number_of_instances"),
    ("no image", lambda d: nodes(d)["vm"].pop("artifacts"), NODES),
    ("disk", lambda d: image(d)["properties"].pop("disk_format"), f"{NODES}.vm.artifacts.image.properties.disk_format"),
    ("format", lambda d: image(d)["properties"].update(container_format="exe"),
     f"{NODES}.vm.artifacts.image.properties.container_format"),
    ("size", lambda d: image(d)["properties"].update(size=5), f"{NODES}.vm.artifacts.image.properties.size"),
    ("artifact", lambda d: image(d).update(type="tosca.artifacts.File"), f"{NODES}.vm.artifacts.image.type"),
    ("file", lambda d: image(d).pop("file"), f"{NODES}.vm.artifacts.image.file"),
    ("no cpu", lambda d: nodes(d)["vm"].pop("capabilities"),
     f"{NODES}.vm.capabilities.virtual_compute.properties.virtual_cpu"),
    ("no point", lambda d: nodes(d).pop("cp"), NODES),
    ("unbound", lambda d: nodes(d)["cp"].pop("requirements"), f"{NODES}.cp.requirements"),
    ("dangling", lambda d: nodes(d)["cp"]["requirements"].append({"virtual_link": "net"}),
     f"{NODES}.cp.requirements[1].virtual_link"),
    ("layer", lambda d: nodes(d)["cp"]["properties"].update(layer_protocols=["ip"]),
     f"{NODES}.cp.properties.layer_protocols[0]"),
    ("no mapping", lambda d: d["topology_template"].pop("substitution_mappings"), MAPPING),
    ("mapping", lambda d: mapping(d).update(node_type="x"),
     f"{MAPPING}.node_type"),
    ("mapped", lambda d: mapping(d)["requirements"].update(virtual_link=["vm", "x"]),
     f"{MAPPING}.requirements.virtual_link"),
    ("no policies", lambda d: d["topology_template"].pop("policies"), POLICIES),
    ("target", lambda d: policy(d, "vdu_levels").update(targets=["app"]), f"{POLICIES}.vdu_levels.targets"),
    ("instances", lambda d: policy(d, "vdu_levels")["properties"]["levels"]["only"].update(number_of_instances=2),
     f"{POLICIES}.vdu_levels.properties.levels.only.number_of_instances"),
    ("levels", lambda d: policy(d, "levels")["properties"]["levels"].update(more={"description": "x"}),
     f"{POLICIES}.levels.properties.levels"),
    ("names", lambda d: policy(d, "levels")["properties"].update(levels={"else": {"description": "x"}}),
     POLICIES),
]  # fmt: skip


def mapping(document: Document) -> Document:
    found: Document = document["topology_template"]["substitution_mappings"]
    return found


def fixed(document: Document) -> Document:
    found: Document = document["node_types"][APPLICATION]["properties"]
    return found


def image(document: Document) -> Document:
    found: Document = nodes(document)["vm"]["artifacts"]["image"]
    return found


def policy(document: Document, name: str) -> Document:
    return next(entry[name] for entry in document["topology_template"]["policies"] if name in entry)


def containers_node(name: str) -> Any:
    return nodes(containers())[name]


@pytest.mark.parametrize(("edit", "path"), [case[1:] for case in BREAKS], ids=[case[0] for case in BREAKS])
def test_a_broken_rule_is_reported_with_its_place(edit: Edit, path: str) -> None:
    document = machine()
    edit(document)
    found = reading(document)
    assert found.appd is None
    assert path in [violation.path for violation in found.violations]


CONTAINER_BREAKS: list[tuple[Edit, str]] = [
    (lambda d: nodes(d)["pod"]["properties"].pop("mcio_identification_data"),
     f"{NODES}.pod.properties.mcio_identification_data"),
    (lambda d: nodes(d).pop("chart"), NODES),
    (lambda d: nodes(d)["chart"].pop("artifacts"), f"{NODES}.chart.artifacts"),
    (lambda d: nodes(d)["container"].pop("artifacts"), f"{NODES}.container.artifacts"),
    (lambda d: nodes(d)["pod"].pop("requirements"), f"{NODES}.pod.requirements"),
    (lambda d: nodes(d).pop("container"), NODES),
    (lambda d: nodes(d)["container"]["artifacts"]["image"]["properties"].update(disk_format="raw"),
     f"{NODES}.container.artifacts.image.properties.disk_format"),
    (lambda d: app(d)["app_traffic_rule"][0].update(action="DROP"), "appTrafficRule[0].dstInterface"),
    (lambda d: app(d)["app_traffic_rule"][0]["traffic_filter"][0].update(direction=1),
     f"{APP}.app_traffic_rule[0].traffic_filter[0].direction"),
    (lambda d: app(d)["app_traffic_rule"][0].update(dst_interface=[{}, {}, {}]),
     f"{APP}.app_traffic_rule[0].dst_interface"),
    (lambda d: app(d)["app_latency"].update(max_latency=0), f"{APP}.app_latency.max_latency"),
    (lambda d: app(d)["lcm_operations_configuration"]["operate"].update(min_graceful_stop_timeout="soon"),
     f"{APP}.lcm_operations_configuration.operate.min_graceful_stop_timeout"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "path"), CONTAINER_BREAKS)
def test_a_broken_rule_on_containers_is_reported_with_its_place(edit: Edit, path: str) -> None:
    document = containers()
    edit(document)
    assert path in [violation.path for violation in reading(document).violations]


def test_one_error_does_not_hide_another() -> None:
    document = containers()
    document["tosca_definitions_version"] = "1.2"
    app(document)["flavour_id"] = "large"
    app(document)["app_dns_rule"][0]["domain_name"] = "cam"
    app(document)["app_traffic_rule"][0]["priority"] = 256
    del nodes(document)["cp"]["requirements"]
    found = reading(document).violations
    assert [violation.path for violation in found] == [
        "main.yaml: tosca_definitions_version",
        f"{APP}.flavour_id",
        f"{NODES}.cp.requirements",
        "appTrafficRule[0].priority",
        "appDNSRule[0].domainName",
    ]


def test_the_problem_names_the_file_and_lists_all() -> None:
    with pytest.raises(Problem) as caught:
        parse("main.yaml", reader({"main.yaml": b"a: [", "x": b""}))
    assert (caught.value.status, caught.value.title) == (400, "main.yaml breaks a rule")
    with pytest.raises(Problem, match="is not there"):
        parse("main.yaml", reader({}))


def test_imports_in_a_circle_end() -> None:
    one = {"tosca_definitions_version": "tosca_simple_yaml_1_3", "imports": ["main.yaml", "one.yaml"]}
    document = machine()
    document["imports"].append("one.yaml")
    assert examine("main.yaml", {"main.yaml": written(document), "one.yaml": written(one)}.get).violations == ()


def test_too_many_imports_are_refused() -> None:
    document = machine()
    document["imports"] = [f"{number}.yaml" for number in range(100)]
    found = reading(document).violations
    assert "more than" in found[-1].message or any("more than" in violation.message for violation in found)


def test_types_that_derive_from_each_other_end() -> None:
    document = machine()
    document["node_types"]["a"] = {"derived_from": "b"}
    document["node_types"]["b"] = {"derived_from": "a"}
    nodes(document)["loop"] = {"type": "a"}
    assert f"{NODES}.loop.type" in [violation.path for violation in reading(document).violations]


@pytest.mark.parametrize("seed", range(8))
def test_no_change_to_a_template_is_more_than_a_violation(seed: int) -> None:
    """Whatever is put where, reading ends in a descriptor or in violations, never in another error."""
    chance = random.Random(seed)
    for make in (machine, containers):
        for _ in range(10):
            document = make()
            for _ in range(chance.randint(1, 3)):
                spoil(document, chance)
            found = reading(document)
            assert (found.appd is None) == bool(found.violations)


def spoil(document: Any, chance: random.Random) -> None:
    """Replace, remove or add one thing somewhere in the document."""
    place: Any = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = chance.choice(keys)
        if isinstance(place[key], dict | list) and place[key] and chance.random() < 0.85:
            place = place[key]
            continue
        if chance.random() < 0.3:
            del place[key]
        else:
            place[key] = chance.choice(
                [None, 0, -1, 2.5, True, "", "x", [], {}, [[]], [None], {"x": None}, {"type": 1}]
            )
        return
