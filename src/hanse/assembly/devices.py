"""Devices of an operator as its configuration has them: at their addresses, in their networks, with their resolvers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from hanse.assembly.settings import Settings
from hanse.assembly.sites import device_space
from hanse.drivers.dataplane_nftables.namespaces import inside
from hanse.elements.ue import HERE, Device
from hanse.kit.problems import Problem, forbidden


def device(settings: Settings, name: str) -> Device:
    """A device, which asks the name server of the host that serves it; 404 lists those that there are.

    Behind a data plane in the kernel it is in a network namespace of its own. Then it raises, when it is used, 404 if
    the operator does not run and 403 without root.
    """
    if name not in settings.devices:
        raise Problem(404, f"No device {name}", f"there are {', '.join(settings.devices) or 'none'}")
    found = settings.devices[name]
    names = settings.hosts[found.host].names
    space = device_space(settings, name)
    network = partial(_entered, name, space) if space else HERE
    return Device(found.address, (names.address, names.port), network=network)


@contextmanager
def _entered(name: str, space: str) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(inside(space))
        except FileNotFoundError:
            raise Problem(404, f"{name} is not attached", "its network is there while the operator runs") from None
        except PermissionError:
            raise forbidden(f"{name} cannot be used", f"its network namespace {space} needs root") from None
        yield
