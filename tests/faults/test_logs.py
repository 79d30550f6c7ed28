"""F26: nobody takes the log any more."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tests.processes import clean_environment, fetch, free_port, wait_until
from tests.request_path.site import PRODUCTION, write

SHOP = {
    "shop/settings.py": """
        SECRET_KEY = "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd"
        ALLOWED_HOSTS = ["*"]
        INSTALLED_APPS = ["shop.orders"]
        SERVER = {"drain_s": 0, "linger_s": 0}
        """,
    "shop/orders/routes.py": """
        import logging

        from fastapi import APIRouter

        router = APIRouter()

        @router.get("/noisy")
        async def noisy() -> str:
            logging.getLogger("shop").error("x" * 500)
            return "served"

        @router.get("/quiet/{word}")
        async def quiet(word: str) -> str:
            return "served"
        """,
    "shop/asgi.py": """
        from fastforge.asgi import get_asgi_application

        app = get_asgi_application()
        """,
    "serving.py": """
        import sys
        from fastforge.server.serve import bind, serve

        sys.exit(serve("shop.asgi:app", bind("127.0.0.1", int(sys.argv[1]))))
        """,
}


@pytest.mark.parametrize("log", ["full disk", "closed pipe", "full file", "nobody reads"])
def test_f26_requests_go_on_when_nobody_takes_the_log(tmp_path: Path, log: str) -> None:
    folder = write(tmp_path, SHOP)
    port = free_port()
    reading, writing = os.pipe()
    stream = _stream(log, writing, tmp_path)
    limit = [sys.executable, "-c", LIMITED] if log == "full file" else []
    process = subprocess.Popen(
        [*limit, sys.executable, "-m", "fastforge", "runserver", str(port), "--workers", "1"],
        cwd=folder.path,
        env={**clean_environment(), **PRODUCTION, "FASTFORGE_LOG_FORMAT": "json"},
        stdout=stream,
        stderr=subprocess.DEVNULL if log == "nobody reads" else stream,
    )
    stream.close()
    try:
        url = f"http://127.0.0.1:{port}/noisy"
        wait_until(lambda: fetch(url) is not None)
        if log != "nobody reads":
            os.close(reading)
        for _ in range(100):
            answer = fetch(url)
            assert answer is not None
            assert answer.status == 200
        process.terminate()
        assert process.wait(60) in (0, -15, 143)
    finally:
        process.kill()
        process.wait()


LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
os.execv(sys.argv[1], sys.argv[1:])
"""
"""A file may have that many bytes: a disk that is full once it has taken the first lines."""


def _stream(log: str, writing: int, folder: Path) -> IO[bytes]:
    if log in ("closed pipe", "nobody reads"):
        return os.fdopen(writing, "wb")
    return open("/dev/full" if log == "full disk" else folder / "log", "wb")


REQUESTS = 12_000
MORE_KIB = 8 * 1024
"""What is kept for a reader is 1 MiB; without a limit the lines alone would be far more."""


def test_f26_lines_that_nobody_reads_are_not_kept_for_ever(tmp_path: Path) -> None:
    folder = write(tmp_path, SHOP)
    port = free_port()
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "serving.py", str(port)],
            cwd=folder.path,
            env={**clean_environment(), **PRODUCTION},
            stdout=stream,
            stderr=subprocess.DEVNULL,
        )
    try:
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/quiet/x") is not None)
        _ask(port, 500)
        before = _resident_kib(process.pid)
        _ask(port, REQUESTS)
        assert _resident_kib(process.pid) - before < MORE_KIB
        process.terminate()
        assert process.wait(60) in (0, -15, 143)
    finally:
        process.kill()
        process.wait()
        os.close(reading)


def _ask(port: int, count: int) -> None:
    """Ask for something whose line is long, many times on one connection."""
    asked = f"GET /quiet/{'x' * 400} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        answers = connection.makefile("rb")
        for _ in range(count // 50):
            connection.sendall(asked * 50)
            for _ in range(50):
                while answers.readline() != b"\r\n":
                    pass
                assert answers.read(8) == b'"served"'


def _resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])
