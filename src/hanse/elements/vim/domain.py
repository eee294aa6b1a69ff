"""Rules of a VIM: what fits, and which address is free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hanse.elements.vim.records import Taken
from hanse.kit.problems import conflict
from hanse.kit.values import Value
from hanse.refpoints.mm6 import workloads


class Equipment(Value):
    """What a host has: memory in bytes, processors in thousandths of a core, addresses for instances, their port."""

    memory: int
    cpu_milli: int
    addresses: tuple[str, ...]
    port: int = 8080


def family(equipment: Equipment) -> str:
    """The family of the addresses that instances get."""
    return "IPv6" if any(":" in address for address in equipment.addresses) else "IPv4"


def take(equipment: Equipment, taken: Sequence[Taken], demand: workloads.Demand) -> Taken:
    """Resources for a demand; a problem 409 that names what is short."""
    _enough("memory", equipment.memory, (t.memory for t in taken), demand.memory)
    _enough("processors", equipment.cpu_milli, (t.cpu_milli for t in taken), demand.cpu_milli)
    used = {t.address for t in taken}
    address = next((a for a in equipment.addresses if a not in used), None)
    if address is None:
        raise conflict("No address left", f"all {len(equipment.addresses)} addresses of the host are in use")
    return Taken(
        app_instance_id=demand.app_instance_id,
        image_id=demand.image_id,
        memory=demand.memory,
        cpu_milli=demand.cpu_milli,
        address=address,
        port=equipment.port,
    )


def _enough(what: str, total: int, used: Iterable[int], wanted: int) -> None:
    free = total - sum(used)
    if wanted > free:
        raise conflict(f"Not enough {what}", f"{wanted} wanted, {free} of {total} free")
