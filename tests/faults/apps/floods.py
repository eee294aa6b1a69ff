"""An app that writes 64 MiB, says that it is ready, and writes as much again."""

from __future__ import annotations

import os
import sys

from mec_app import Answer, MecApp, Platform, Settings

LINE = b"x" * 1023 + b"\n"


def flood() -> None:
    """64 MiB on the standard output."""
    for _ in range(1024):
        os.write(1, LINE * 64)


def main() -> None:
    """Run as the MEC system starts us."""
    flood()
    MecApp(Platform(Settings.from_environment(os.environ)), {("GET", "/healthz"): lambda _: Answer(200)}).run()
    flood()
    sys.exit(0)


if __name__ == "__main__":
    main()
