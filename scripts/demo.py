"""Run the example project until Ctrl-C: migrations, some articles, then the server.

Usage: python scripts/demo.py [PORT]

Everything is embedded: SQLite holds the rows and the jobs, and the server's process runs the jobs
too, so that what a job tells reaches the pages that are open.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "example_project"
PORT = 8000
# A little longer than the project itself allows for requests, jobs and its resources.
STOP_DEADLINE_S = 45
PAUSE_S = 0.1


def main(port: int) -> int:
    """Start everything, wait for a signal or for the server to end: an exit code."""
    environ = environment()
    if code := subprocess.run(manage("migrate"), cwd=PROJECT, env=environ, check=False).returncode:
        return code
    seed(environ)
    port = first_free_port(port)
    signals = heed_signals()
    server = start(manage("runserver", str(port)), environ)
    try:
        wait_until_it_answers(port, server, signals)
        while not signals and server.poll() is None:
            time.sleep(PAUSE_S)
    finally:
        stop(server)
    return 0 if signals else 1


def seed(environ: dict[str, str]) -> None:
    """Let there be something to read; a database with users is left as it is."""
    argv = manage("seed", "--articles", "300", "--users", "20")
    done = subprocess.run(argv, cwd=PROJECT, env=environ, check=False, capture_output=True)
    print(done.stdout.decode(), end="", flush=True)


def environment() -> dict[str, str]:
    """The demo's own: development, and a secret for as long as it runs."""
    defaults = {"FASTFORGE_ENV": "development", "SECRET_KEY": secrets.token_urlsafe(48)}
    return defaults | os.environ | {"PYTHONUNBUFFERED": "1"}


def manage(*arguments: str) -> list[str]:
    """The command line of the example project."""
    return [sys.executable, "manage.py", *arguments]


def first_free_port(port: int) -> int:
    """`port`, or the next one that nothing listens on."""
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
        port += 1


def heed_signals() -> list[int]:
    """A list that grows by each Ctrl-C or request to end."""
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: received.append(number))
    return received


def start(argv: Sequence[str], environ: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start one process in a group of its own: Ctrl-C is ours to pass on, once."""
    return subprocess.Popen(
        argv, cwd=PROJECT, env=environ, stdin=subprocess.DEVNULL, process_group=0
    )


def wait_until_it_answers(
    port: int, server: subprocess.Popen[bytes], signals: Sequence[int]
) -> None:
    """Print the addresses as soon as they are of use; give up when the server or we are to end."""
    address = f"http://127.0.0.1:{port}"
    while not signals and server.poll() is None:
        if answers(f"{address}/openapi.json"):
            print(f"\n  {address}       the page", flush=True)
            print(f"  {address}/docs  the API  (Ctrl-C stops)\n", flush=True)
            return
        time.sleep(PAUSE_S)


def answers(url: str) -> bool:
    """Whether somebody speaks HTTP there, whatever they say."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server and make sure that nothing of it is left."""
    if server.poll() is None:
        server.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(STOP_DEADLINE_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PORT))
