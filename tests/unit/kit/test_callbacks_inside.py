"""A name that leads to a place of our own gets no callback, though the name itself is allowed (DNS rebinding)."""

from __future__ import annotations

import msgspec
import pytest

from hanse.kit.callbacks import Callbacks, CallbackTo
from hanse.kit.contract.call import Caller
from hanse.kit.contract.observe import Silence
from hanse.kit.outbox import FINAL
from hanse.kit.problems import Problem
from hanse.kit.receivers import Receivers
from tests.unit.kit.test_callbacks import NEWS, Receiver, receiver

__all__ = ["receiver"]  # a fixture

CALLER = Caller(role="mep", name="mep.harbour", operator="north")


async def test_nothing_is_posted_to_where_a_name_leads_inside_and_it_is_not_tried_again(receiver: Receiver) -> None:
    port = int(receiver.url.split(":")[2].split("/")[0])
    rule = Receivers(allowed=("localhost",), inside=frozenset({("127.0.0.1", port)}))
    url = f"http://localhost:{port}/notify"
    rule.check(url, "127.10.1.100")
    callbacks = Callbacks(CALLER, "Mp1", Silence(), rule)
    try:
        with pytest.raises(Problem, match="callbackReference") as caught:
            await callbacks.deliver(msgspec.json.encode(CallbackTo.of(url, NEWS, "app.one")))
        assert caught.value.status in FINAL
        assert receiver.got == []
        other = CallbackTo.of(receiver.url.replace("127.0.0.1", "localhost"), NEWS, "app.one")
        with pytest.raises(Problem):
            await callbacks.deliver(msgspec.json.encode(other))
    finally:
        await callbacks.close()


async def test_what_leads_elsewhere_is_posted(receiver: Receiver) -> None:
    callbacks = Callbacks(CALLER, "Mp1", Silence(), Receivers(inside=frozenset({("127.0.0.1", 1)})))
    await callbacks.deliver(msgspec.json.encode(CallbackTo.of(receiver.url, NEWS, "app.one")))
    assert len(receiver.got) == 1
    await callbacks.close()
