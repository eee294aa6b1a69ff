"""What every MEC application needs, in the standard library alone. Copy this directory into your own image."""

from .app import MecApp
from .connection import Answer, Request
from .mp1 import Platform, Settings
from .problem import Problem
from .server import Server

__all__ = ["Answer", "MecApp", "Platform", "Problem", "Request", "Server", "Settings"]
