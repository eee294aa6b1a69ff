"""nginx, where it is installed: the same bytes from files, over the same TLS, by one worker."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hanse.kit.problems import Problem

CONFIGURATION = """
daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nodelay on; keepalive_requests 100000000; open_file_cache max=1000;
  types {{ application/json json; }}
  client_body_temp_path {directory}/t1; proxy_temp_path {directory}/t2; fastcgi_temp_path {directory}/t3;
  uwsgi_temp_path {directory}/t4; scgi_temp_path {directory}/t5;
  server {{
    listen {host}:{port} ssl; ssl_protocols TLSv1.3; ssl_certificate {certificate}; ssl_certificate_key {key};
    root {directory}/files;
    location /mec_service_mgmt/v1/services {{ try_files /$args.json =404; }}
  }}
}}
"""


def installed() -> str | None:
    """The program, if there is one."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def static(
    directory: Path, host: str, port: int, certificate: Path, key: Path, bodies: Mapping[str, bytes]
) -> Iterator[int]:
    """Serve ``bodies`` by their queries; gives the worker's process id."""
    files = directory / "files"
    files.mkdir(parents=True)
    directory.chmod(0o755)
    files.chmod(0o755)
    for name, body in bodies.items():
        (files / f"{name}.json").write_bytes(body)
    text = CONFIGURATION.format(directory=directory, host=host, port=port, certificate=certificate, key=key)
    (directory / "nginx.conf").write_text(f"user {_user()};" + text)
    program = installed()
    assert program is not None
    process = subprocess.Popen([program, "-p", str(directory), "-c", str(directory / "nginx.conf"), "-e", "stderr"])
    try:
        yield _worker(process)
    finally:
        process.terminate()
        process.wait(timeout=5)


def _user() -> str:
    import getpass

    return getpass.getuser()


def _worker(process: subprocess.Popen[bytes]) -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 5
    while process.poll() is None and time.monotonic() < deadline:
        found = children.read_text().split()
        if found:
            return int(found[0])
        time.sleep(0.05)
    process.kill()
    raise Problem(500, "nginx did not start", "what it said of the reason is above")
