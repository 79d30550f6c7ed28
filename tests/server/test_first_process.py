"""The first process of a container hears signals too, although the kernel keeps most from it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.processes import Process, descendants, fetch, start, wait_until

from .conftest import Site

IN_CONTAINER = ("unshare", "--pid", "--fork", "--map-root-user", "--user")


def can_contain() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*IN_CONTAINER, "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not can_contain(), reason="no process namespaces here")


def contained(site: Site) -> Process:
    options = json.dumps({"graceful_s": 600})
    argv = [sys.executable, "program.py", "serve", "site_app:app", str(site.port), options]
    return start([*IN_CONTAINER, *argv], cwd=site.path)


def signalling(server: Process) -> Callable[[], None]:
    """What sends SIGTERM to the first process of the container."""
    (first,) = wait_until(lambda: descendants(server.pid), describe=server)
    return lambda: os.kill(first, signal.SIGTERM)


def test_the_second_signal_ends_it_at_once(site: Site) -> None:
    with contained(site) as server, ThreadPoolExecutor() as clients:
        server.wait_for("up")
        clients.submit(fetch, f"{site.url}never")
        server.wait_for("asked /never")
        terminate = signalling(server)
        terminate()
        wait_until(lambda: fetch(site.url) is None, describe=server)
        terminate()
        assert server.wait() == 128 + signal.SIGTERM
        assert "down" not in server.output


def test_a_signal_ends_an_import_that_hangs(site: Site) -> None:
    text = "import time\nprint('importing', flush=True)\ntime.sleep(3600)\n"
    site.folder.write({"site_app.py": text})
    with contained(site) as server:
        server.wait_for("importing")
        signalling(server)()
        assert server.wait() == 128 + signal.SIGTERM
