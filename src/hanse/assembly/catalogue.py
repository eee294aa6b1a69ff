"""What exists: the elements of an operator, each with its name, its role and where it listens."""

from __future__ import annotations

from dataclasses import dataclass

from hanse.assembly.settings import Settings
from hanse.kit.problems import Problem

OF_OPERATOR = ("oss", "meo", "federation_manager", "border")
OF_HOST = ("mep", "mepm", "vim", "data_plane", "names")


@dataclass(frozen=True)
class Element:
    """An element as it is named (``mep.harbour``), its role (``mep``), its host, and where it listens."""

    name: str
    role: str
    host: str
    address: str
    port: int

    @property
    def url(self) -> str:
        """Where other elements reach it."""
        return f"https://{self.address}:{self.port}"


def elements(settings: Settings) -> dict[str, Element]:
    """All elements of an operator by name, in the order in which they are started."""
    found: list[Element] = []
    for host, place in settings.hosts.items():
        for offset, role in enumerate(OF_HOST):
            found.append(Element(f"{role}.{host}", role, host, place.address, place.port + offset))
    operator = settings.operator
    for offset, role in enumerate(("oss", "meo", "federation_manager")):
        found.append(Element(role, role, "", operator.address, operator.port + offset))
    found.append(Element("border", "border", "", settings.federation.address, settings.federation.port))
    return {element.name: element for element in found}


def chosen(settings: Settings, names: list[str]) -> list[Element]:
    """The elements of these names; ``all`` is every one. A problem 400 lists what there is."""
    known = elements(settings)
    if names == ["all"]:
        return list(known.values())
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Problem(400, f"No element {unknown[0]}", f"there are all, {', '.join(known)}")
    return [element for element in known.values() if element.name in names]
