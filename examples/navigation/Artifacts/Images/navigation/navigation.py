"""Navigation, a MEC application that uses a service of others: say two places and it tells the way between them."""

from __future__ import annotations

import json
import os
from typing import Any

from listening import hear
from mec_app import Answer, MecApp, Platform, Problem, Request, Settings
from routing import directions
from streets import PLACES


class Navigation:
    """The application's routes; ``platform`` is where it looks for somebody who understands speech."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def directions(self, request: Request) -> Answer:
        """POST /directions: a recording of digits in, the way between their places out."""
        heard = hear(self._platform, request.body, request.peer)
        return Answer(200, json.dumps(journey(heard)).encode())

    def health(self, _request: Request) -> Answer:
        """GET /healthz."""
        return Answer(200, b'{"status": "ok"}')


def journey(heard: str) -> dict[str, Any]:
    """The way from the first digit's place to the last one's, through those between; 422 if they are no journey."""
    if len(heard) < 2 or any(digit not in PLACES for digit in heard):
        names = ", ".join(f"{digit} {place.name}" for digit, place in PLACES.items())
        raise Problem(422, f"Heard {heard!r}, which is no journey", f"say at least two of {names}")
    steps = directions(heard)
    return {
        "heard": heard,
        "from": PLACES[heard[0]].name,
        "to": PLACES[heard[-1]].name,
        "metres": sum(step.metres for step in steps),
        "steps": [step._asdict() for step in steps],
    }


def main() -> None:
    """Run as the MEC system starts us."""
    platform = Platform(Settings.from_environment(os.environ))
    navigation = Navigation(platform)
    MecApp(platform, {("POST", "/directions"): navigation.directions, ("GET", "/healthz"): navigation.health}).run()


if __name__ == "__main__":
    main()
