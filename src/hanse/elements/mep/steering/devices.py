"""The devices of the operator, as far as a platform must know them to lead them."""

from __future__ import annotations

from collections.abc import Iterable

from hanse.elements.mep.steering.choice import Asker


class Devices:
    """Devices by address. ``here`` is the platform's own zone and place: where a stranger is taken to be."""

    def __init__(self, known: Iterable[Asker] = (), here: Asker = Asker()) -> None:  # noqa: B008 (immutable)
        self._known = {device.address: device for device in known}
        self._here = here

    def known(self) -> list[Asker]:
        """All that are known, in the order of their addresses."""
        return [self._known[address] for address in sorted(self._known)]

    def at(self, address: str) -> Asker:
        """The device of an address; a stranger, who came to this platform, is in its zone."""
        return self._known.get(address) or self._here._replace(address=address, name="")
