"""Persistent storage: a directory for each instance that asks for one (ETSI GS MEC 003, 7.1.2).

It outlives the app's stops and the platform's restarts, and goes when the instance is terminated. Its size is looked at
and told here, not enforced: that is the compute driver's part.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from hanse.kit.problems import Problem, bad_request
from hanse.refpoints.mm5.platform import VolumeStanding

log = logging.getLogger("hanse.mep")

PERIOD = 5.0
"""Seconds between two looks at the volumes."""
SHARE = 10
"""A look rests so many times as long as it took: it never takes more than a tenth of a core."""
GONE = ".gone-"
"""Directories named so are being removed; no instance id begins with a dot."""
BLOCK = 512
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")


class Volumes:
    """The volumes of a host below one directory; without a directory there are none."""

    def __init__(self, directory: Path | None, period: float = PERIOD) -> None:
        self._directory = directory
        self._period = period
        self._standings: dict[str, VolumeStanding] = {}

    async def provide(self, app_instance_id: str, size: int) -> str:
        """The path of an instance's volume, made if it is not there; empty if it asks for none. Sizes in bytes."""
        if not size:
            return ""
        path = self._path(app_instance_id)
        try:
            await asyncio.to_thread(path.mkdir, 0o700, True, True)
        except OSError as error:
            raise Problem(507, "No room for the volume", f"{path}: {error.strerror}") from None
        known = self._standings.get(app_instance_id)
        self._standings[app_instance_id] = VolumeStanding(size=size, used=known.used if known else 0)
        return str(path)

    async def remove(self, app_instance_id: str) -> None:
        """Take an instance's volume away with all that is in it; none is no error."""
        self._standings.pop(app_instance_id, None)
        if self._directory is not None and _NAME.fullmatch(app_instance_id):
            await asyncio.to_thread(_removed, self._path(app_instance_id))

    async def restore(self, sizes: Mapping[str, int]) -> None:
        """After a restart: the instances that there are, with the sizes that they asked for; other volumes go."""
        if self._directory is None:
            return
        await asyncio.to_thread(_tidied, self._directory, sizes)
        for app_instance_id, size in sizes.items():
            try:
                await self.provide(app_instance_id, size)
            except Problem as problem:  # the app has no volume, but the others' lives go on
                log.error("the volume of %s is not there: %s", app_instance_id, problem)

    def standing(self, app_instance_id: str) -> VolumeStanding | None:
        """The size of an instance's volume and what is used of it, as it was last looked at."""
        return self._standings.get(app_instance_id)

    async def watch(self) -> None:
        """Look at every volume again and again, and tell of each that grows beyond its size, once."""
        while True:
            began = time.monotonic()
            await self.look()
            await asyncio.sleep(max(self._period, SHARE * (time.monotonic() - began)))

    async def look(self) -> None:
        """Measure every volume."""
        for app_instance_id, before in list(self._standings.items()):
            used = await asyncio.to_thread(occupied, self._path(app_instance_id))
            if app_instance_id not in self._standings:
                continue
            now = VolumeStanding(size=before.size, used=used)
            self._standings[app_instance_id] = now
            if now.exceeded != before.exceeded:
                state = "exceeds its size" if now.exceeded else "is within its size again"
                log.warning("the volume of %s %s: %d of %d bytes", app_instance_id, state, used, now.size)

    def _path(self, app_instance_id: str) -> Path:
        if self._directory is None:
            raise Problem(409, "No storage", "this platform has no directory for volumes")
        if not _NAME.fullmatch(app_instance_id):
            raise bad_request("Invalid attribute appInstanceId", "letters, digits and ._~- name a volume")
        return self._directory / app_instance_id


def occupied(directory: Path) -> int:
    """Bytes that the files of a directory take on the disk, each once; links are not followed."""
    return sum({(s.st_dev, s.st_ino): s.st_blocks * BLOCK for s in _statuses(directory)}.values())


def _statuses(directory: Path) -> Iterator[os.stat_result]:
    for parent, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):
                yield os.lstat(os.path.join(parent, name))


def _removed(path: Path) -> None:
    gone = path.with_name(f"{GONE}{path.name}-{secrets.token_hex(8)}")
    with suppress(FileNotFoundError):
        path.rename(gone)  # out of sight in one step: a crash leaves no half volume under the instance's name
    shutil.rmtree(gone, ignore_errors=True)


def _tidied(directory: Path, known: Collection[str]) -> None:
    with suppress(FileNotFoundError):
        for path in list(directory.iterdir()):
            if path.name not in known:
                shutil.rmtree(path, ignore_errors=True)
