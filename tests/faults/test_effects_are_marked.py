"""No effect on the world goes without a failpoint: what is not marked could not be tested by a crash."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator
from types import ModuleType

import pytest

import hanse
from hanse.elements.meo.packages_check import Onboarding
from hanse.elements.meo.procedures import SystemProcedures
from hanse.elements.mepm.procedures import InstanceProcedures
from hanse.kit.failpoints import EFFECTS
from hanse.refpoints.mm7 import Compute
from hanse.refpoints.mp2 import DataPlane, NameServer
from tests.faults.test_killed_at_commits import COMMITS
from tests.faults.test_killed_at_effects import INSTANTIATION, LOST, STOP, TERMINATION
from tests.faults.test_killed_elsewhere import ON_BOARDING, START_UP

DRIVERS: dict[type, dict[str, str]] = {
    Compute: {
        "prepare": "compute.image",
        "discard": "compute.discard",
        "create": "compute.create",
        "start": "compute.spawn",
        "stop": "compute.stop",
        "delete": "compute.delete",
    },
    DataPlane: {
        "install": "data_plane.install",
        "withdraw": "data_plane.withdraw",
        "change": "data_plane.install",  # many of both, each of which has its own
    },
    NameServer: {"publish": "names.publish", "retract": "names.retract", "publish_all": "names.publish_all"},
}
"""Methods of drivers that change the world, and the effect of each."""

READS: dict[type, set[str]] = {
    Compute: {"capabilities", "status", "list", "output", "events", "close"},
    DataPlane: {"capabilities", "forwardings", "forwardings_of", "counters", "flows"},
    NameServer: {"capabilities", "records", "records_of"},
}
"""Methods of drivers that change nothing; ``close`` lets go of workloads, which run on."""

PROCEDURES = (InstanceProcedures, SystemProcedures, Onboarding)

WAITING = {
    "await_ready": "asks where the app stands until it is ready; asking changes nothing",
    "await_confirmation": "asks where the app stands until it has confirmed; asking changes nothing",
    "await_host": "asks how the host's operation goes until it has ended; asking changes nothing",
    "select_host": "asks hosts what room they have; its own effect is one commit of the store",
}
"""Steps that call other elements without an effect on them."""

OTHERS = {"_vim", "_platform", "_granting", "_view", "_host", "_hosts"}
"""What the procedures call other elements by."""

_OTHER_PLANE = "a part of an effect of the nftables data plane; its own tests kill there"
NO_PROCEDURE = {
    "compute.discard": "an event discards an image, and is delivered again until the host has taken it",
    "data_plane.change": _OTHER_PLANE,
    "data_plane.ground": _OTHER_PLANE,
    "data_plane.tell": _OTHER_PLANE,
    "retention.forget": "nothing that is asked for; its own test kills there",
    "names.publish_all": "a policy of the operator, which no instance is part of; its own test kills there",
}


def modules() -> Iterator[ModuleType]:
    for room in ("kit", "elements", "drivers", "services", "assembly"):
        package = importlib.import_module(f"hanse.{room}")
        for found in pkgutil.walk_packages(package.__path__, f"hanse.{room}."):
            yield importlib.import_module(found.name)


@pytest.fixture(scope="module", autouse=True)
def everything() -> None:
    assert len(list(modules())) > 80


@pytest.mark.parametrize("api", DRIVERS, ids=lambda api: api.__name__)
def test_every_method_of_a_driver_that_changes_the_world_is_an_effect(api: type) -> None:
    methods = {name for name, member in vars(api).items() if inspect.isfunction(member) and name[0] != "_"}
    assert methods == DRIVERS[api].keys() | READS[api], "a new method changes the world, or reads: say which"
    for effect in DRIVERS[api].values():
        assert EFFECTS[effect].startswith("hanse.drivers."), effect


@pytest.mark.parametrize("procedures", PROCEDURES, ids=lambda procedures: procedures.__name__)
def test_every_step_that_calls_another_element_is_an_effect(procedures: type) -> None:
    steps = set(_steps(procedures))
    assert steps
    for step in steps - WAITING.keys():
        reached = _reached(procedures, step)
        functions = [getattr(procedures, name) for name in reached]
        marked = {f"{function.__module__}.{function.__qualname__}" for function in functions}
        calls_others = any(OTHERS & _attributes(procedures, name) for name in reached)
        assert not calls_others or marked & set(EFFECTS.values()), f"{step} calls another element without an effect"


def test_steps_excepted_as_waiting_are_there() -> None:
    assert set(WAITING) <= {step for procedures in PROCEDURES for step in _steps(procedures)}


def test_writing_to_the_disk_is_an_effect() -> None:
    assert EFFECTS["store.commit"] == "hanse.kit.store_file.StoreFile.write"
    assert EFFECTS["procedures.commit"] == "hanse.kit.procedures.log.LogConnection._commit_changes"


def test_the_operator_is_killed_at_every_effect_that_there_is() -> None:
    ours = {name for name, function in EFFECTS.items() if function.startswith(f"{hanse.__name__}.")}
    killed = {*INSTANTIATION, *TERMINATION, *STOP, *LOST, *ON_BOARDING, *START_UP, *COMMITS}
    assert ours - killed == set(NO_PROCEDURE)
    assert killed - ours == set()


def _steps(procedures: type) -> Iterator[str]:
    """Names of the methods that are handed to ``steps.run``, as steps or to undo them."""
    for node in ast.walk(ast.parse(inspect.getsource(inspect.getmodule(procedures) or procedures))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "run":
            handed = [node.args[0], *(keyword.value for keyword in node.keywords if keyword.arg == "undo")]
            yield from (value.attr for value in handed if isinstance(value, ast.Attribute))


def _reached(procedures: type, step: str) -> set[str]:
    """The step and the methods of its class, or of those that it builds on, that it calls."""
    reached, more = set[str](), {step}
    while more:
        reached |= more
        called = set().union(*(_attributes(procedures, name) for name in more))
        more = {name for name in called if inspect.isfunction(getattr(procedures, name, None))} - reached
    return reached


def _attributes(procedures: type, name: str) -> set[str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(getattr(procedures, name))))
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
