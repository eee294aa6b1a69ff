"""An app that stands still as soon as it begins, until it is sent SIGCONT; then it runs and says so."""

from __future__ import annotations

import os
import signal

from mec_app import MecApp, Platform, Settings

if __name__ == "__main__":
    os.kill(os.getpid(), signal.SIGSTOP)
    MecApp(Platform(Settings.from_environment(os.environ)), {}, []).run()
