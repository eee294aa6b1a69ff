"""What is done to its end though a signal interrupts."""

from __future__ import annotations

import threading
from collections.abc import Callable


def uninterrupted(act: Callable[[], object], hurry: Callable[[], object] = lambda: None) -> None:
    """Do something to its end though a signal interrupts: ``hurry`` is called at once, its exception raised afterwards.

    Between making a process and noting it, and in the middle of cleaning up, an exception would leave something behind.
    """
    turn, done, raised = threading.Lock(), threading.Event(), list[BaseException]()

    def run() -> None:
        if not turn.acquire(blocking=False):
            return
        try:
            act()
        except BaseException as error:
            raised.append(error)
        finally:
            done.set()

    try:
        threading.Thread(target=run).start()  # signals interrupt the main thread only
        done.wait()
    except BaseException:
        hurry()
        run()  # unless the thread has begun
        done.wait()
        raise
    if raised:
        raise raised[0]
