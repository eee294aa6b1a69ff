"""The page of the sandbox shows a seed that is taken, and names what there is."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from hanse.assembly.sandbox import read_seed
from hanse.cli.sandbox import sandbox
from hanse.refpoints.mp1 import Mp1
from tests.unit.docs.tour import README

PAGE = (README.parent / "docs/sandbox.md").read_text()


def test_the_seed_that_it_shows_is_taken(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    file = tmp_path / "seed.toml"
    file.write_text(found[1])
    seed = read_seed(file)
    assert [len(part) for part in (seed.apps, seed.services, seed.subscriptions, seed.devices)] == [1, 1, 1, 1]
    assert f"/ui/v1/{seed.apps[0].id}/ue_identity_tag_info" in PAGE


def test_it_names_every_option() -> None:
    options = {"--" + name.replace("_", "-") for name in inspect.signature(sandbox).parameters if name != "as_json"}
    assert not [option for option in {*options, "--json"} if f"`{option}" not in PAGE]


def test_it_names_every_base_that_apps_have_of_the_standard() -> None:
    bases = {base for offer in Mp1.offers for base in offer.api.api_bases if base != "/mec_remote_services/v1"}
    assert not [base for base in bases if f"`{base}`" not in PAGE]
