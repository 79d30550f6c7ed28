"""A socket that systemd hands over is served on, and stays open while the server restarts."""

from __future__ import annotations

import os
import re
import signal
import sys

import pytest

from fastforge.exceptions import StartError
from fastforge.server.handed import handed_over
from tests.processes import Process, fetch, start, wait_until

from .conftest import Site

HANDING = """
import os
import socket
import sys

port, kind, times, *command = sys.argv[1:]
with socket.socket(type=socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM) as sock:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", int(port)))
    if kind == "listening":
        sock.listen()
    for _ in range(int(times)):
        pid = os.fork()
        if not pid:
            os.dup2(sock.fileno(), 3)
            os.set_inheritable(3, True)
            os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")
            os.execv(sys.executable, [sys.executable, *command])
        _, status = os.waitpid(pid, 0)
        print("ended", os.waitstatus_to_exitcode(status), flush=True)
"""


def handing(site: Site, *served: str, kind: str = "listening", times: int = 1) -> Process:
    """Start what does systemd's part: it opens the socket, and starts the server again."""
    site.folder.write({"handing.py": HANDING})
    served = served or ("program.py", "serve", "site_app:app", str(site.port), "{}")
    argv = [sys.executable, "handing.py", str(site.port), kind, str(times), *served]
    return start(argv, cwd=site.path)


def test_nobody_is_refused_while_the_server_restarts(site: Site) -> None:
    """Who comes between two servers waits for the second."""
    with handing(site, times=2) as systemd:

        def serving_pid() -> int:
            answer = fetch(site.url)
            assert answer and answer.status == 200, systemd
            found = re.search(r"pid (\d+)", answer.body)
            assert found
            return int(found[1])

        first = wait_until(lambda: systemd.alive and fetch(site.url) and serving_pid())
        os.kill(first, signal.SIGTERM)
        second = wait_until(lambda: (pid := serving_pid()) != first and pid, describe=systemd)
        os.kill(second, signal.SIGTERM)
        assert systemd.wait() == 0
        assert systemd.output.count("ended 0\n") == 2


def test_several_processes_serve_on_it(site: Site) -> None:
    files = {
        "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
        "shop/settings.py": "",
    }
    site.folder.write(files)
    command = ("-m", "fastforge", "runserver", "--workers", "2")
    with handing(site, *command) as systemd:
        answer = wait_until(lambda: systemd.alive and fetch(f"{site.url}livez"), describe=systemd)
        assert answer and answer.status == 200
        told = systemd.wait_for("2 processes; Ctrl-C stops")
        assert f"http://127.0.0.1:{site.port} (shop.settings, production, " in told
        systemd.interrupt()
        systemd.wait()


@pytest.mark.parametrize(
    ("kind", "fault"), [("silent", "does not listen"), ("datagram", "has no port of TCP")]
)
def test_a_socket_that_cannot_be_served_on_is_refused(site: Site, kind: str, fault: str) -> None:
    with handing(site, kind=kind) as systemd:
        systemd.wait()
        assert f"[server.E040] the socket that is handed over {fault}; write one" in systemd.output


def test_several_sockets_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "2")
    with pytest.raises(StartError, match=r"server\.E040\] 2 sockets are handed over; write one"):
        handed_over()


def test_what_is_handed_to_another_process_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getppid()))
    monkeypatch.setenv("LISTEN_FDS", "1")
    assert handed_over() is None
