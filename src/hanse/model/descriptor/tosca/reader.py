"""Reading an AppD from its service template, with every violation at once (ETSI GS MEC 037 V3.2.1, annex C.3)."""

from __future__ import annotations

from hanse.kit.problems import Problem, bad_request
from hanse.kit.values import Value
from hanse.model.descriptor.application import AppD
from hanse.model.descriptor.base import Violation
from hanse.model.descriptor.rules import ATTRIBUTE_RULES, check
from hanse.model.descriptor.tosca.mec_attributes import attributes
from hanse.model.descriptor.tosca.nfv_types import MEC_APP_TYPE
from hanse.model.descriptor.tosca.node_rules import application_violations, node_violations
from hanse.model.descriptor.tosca.nodes import Node, nodes_of
from hanse.model.descriptor.tosca.template import Reader, read_template
from hanse.model.descriptor.tosca.topology_rules import of_kind, topology_violations
from hanse.model.descriptor.tosca.translate import translate
from hanse.model.descriptor.tosca.types import conforms


class Reading(Value):
    """What came of reading a template: the descriptor, or else what is wrong with it."""

    appd: AppD | None
    violations: tuple[Violation, ...]


def examine(main: str, read: Reader) -> Reading:
    """Read the service template at path ``main``; ``read`` gives the files of the archive."""
    template = read_template(main, read)
    nodes = nodes_of(template)
    found = list(template.violations)
    if template.topology:
        applications = of_kind(nodes, MEC_APP_TYPE)
        found += application_violations(applications, template)
        names = {node.name for node in nodes}
        for node in nodes:
            found += node_violations(node, names)
        found += topology_violations(template.topology, nodes)
        for application in applications if found else []:
            found += _rules_on_sound_parts(application)
    if found:
        return Reading(appd=None, violations=tuple(found))
    appd = translate(nodes)
    broken = tuple(check(appd))
    return Reading(appd=None if broken else appd, violations=broken)


def parse(main: str, read: Reader) -> AppD:
    """The descriptor at path ``main``, or a 400 that names the file and lists every violation."""
    reading = examine(main, read)
    if reading.appd is None:
        raise broken_descriptor(main, reading.violations)
    return reading.appd


def broken_descriptor(main: str, violations: tuple[Violation, ...]) -> Problem:
    """400 for a descriptor that breaks rules."""
    count = f"{len(violations)} rules" if len(violations) > 1 else "a rule"
    return bad_request(f"{main} breaks {count}", "; ".join(map(str, violations)))


def _rules_on_sound_parts(application: Node) -> list[Violation]:
    """MEC's own rules on those attributes that have the right type, so that one error does not hide another."""
    required, optional = application.shape.required, application.shape.optional
    types = {**required, **optional}
    sound = {n: v for n, v in application.properties.items() if n in types and conforms(v, types[n])}
    values = attributes(sound)
    return [violation for name, rule in ATTRIBUTE_RULES.items() if name in values for violation in rule(values[name])]
