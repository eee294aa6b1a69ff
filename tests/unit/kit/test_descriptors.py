"""A process takes the descriptors that its machine allows, and no more."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from hanse.kit import descriptors

TOLD = """
import resource, sys
from hanse.kit import descriptors
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
descriptors.allow_plenty()
print(descriptors.allowed(), resource.getrlimit(resource.RLIMIT_NOFILE)[1])
"""


@pytest.mark.parametrize(("soft", "hard", "then"), [(256, 1024, 1024), (1024, 1024, 1024)])
def test_a_process_takes_as_many_as_it_may_have(soft: int, hard: int, then: int) -> None:
    command = [sys.executable, "-c", TOLD, str(soft), str(hard)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True).stdout
    assert told.split() == [str(then), str(hard)]


def test_a_process_never_gives_up_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    now = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(descriptors, "PLENTY", 16)
    descriptors.allow_plenty()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == now
