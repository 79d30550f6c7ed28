"""F26: nobody takes the log any more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import clean_environment, fetch, free_port, wait_until
from tests.request_path.site import PRODUCTION, write

SHOP = {
    "shop/settings.py": """
        SECRET_KEY = "x" * 40
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
        """,
}


@pytest.mark.parametrize("log", ["full disk", "closed pipe"])
def test_f26_requests_go_on_when_nobody_takes_the_log(tmp_path: Path, log: str) -> None:
    folder = write(tmp_path, SHOP)
    port = free_port()
    reading, writing = os.pipe()
    stream = open("/dev/full", "wb") if log == "full disk" else os.fdopen(writing, "wb")  # noqa: SIM115
    process = subprocess.Popen(
        [sys.executable, "-m", "fastforge", "runserver", str(port), "--workers", "1"],
        cwd=folder.path,
        env={**clean_environment(), **PRODUCTION},
        stdout=stream,
        stderr=stream,
    )
    stream.close()
    try:
        url = f"http://127.0.0.1:{port}/noisy"
        wait_until(lambda: fetch(url) is not None)
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
