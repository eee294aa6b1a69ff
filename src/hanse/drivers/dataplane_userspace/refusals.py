"""Why a socket that a rule needs cannot be had, and what to do about it."""

from __future__ import annotations

import asyncio
import errno

from hanse.drivers.dataplane_userspace.endpoints import Endpoint
from hanse.kit.ports import describe_holder
from hanse.kit.problems import Problem, bad_request, conflict


async def explained(endpoint: Endpoint, error: OSError) -> Problem:
    """The problem that says who is in the way and what to do about it."""
    protocol, address, port = endpoint
    if error.errno == errno.EADDRINUSE:
        holder = await asyncio.to_thread(describe_holder, address, port, protocol)
        return conflict(
            f"{protocol} port {port} on {address} is taken", f"{holder}; stop it or give the rule another dstPort"
        )
    if error.errno == errno.EACCES:
        return bad_request(f"dstPort {port} needs root", f"user space may listen on ports from 1024 on {address}")
    return bad_request(f"{address}:{port} cannot be listened on", str(error))


def no_room(many: int) -> OSError:
    """So many sockets are open that others of this process would find no descriptor."""
    return OSError(errno.EMFILE, f"rules listen on {many} sockets, a quarter of what this process may open (ulimit -n)")
