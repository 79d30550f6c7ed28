"""In the tests of a project no mail is sent, and each test sees its own."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.folder import ProjectFolder
from tests.processes import run

FILES = {
    "pyproject.toml": """
        [tool.fastforge]
        settings = "shop.settings"

        [tool.pytest.ini_options]
        addopts = ["-p", "no:asyncio", "--import-mode=importlib"]
        anyio_mode = "auto"
        """,
    "shop/settings.py": """
        from fastforge.conf import env
        from fastforge.contrib.db import Database
        from fastforge.contrib.mail import Mail

        SECRET_KEY = env.secret("SECRET_KEY")
        INSTALLED_APPS = [
            "fastforge.contrib.db", "fastforge.contrib.jobs", "fastforge.contrib.mail", "shop",
        ]
        DATABASES = {"default": Database(url="sqlite+aiosqlite:///db.sqlite3")}
        MAIL = Mail(backend="smtp", host="mail.invalid", from_address="shop@example.org")
        """,
    "shop/routes.py": """
        from fastapi import APIRouter, HTTPException

        from fastforge.contrib.db import DbSession
        from fastforge.contrib.mail import Mailer, Message

        router = APIRouter()

        @router.post("/orders")
        async def order(db: DbSession, mailer: Mailer, fails: bool = False) -> None:
            await mailer.send(Message(to="ann@example.org", subject="Order", text="Thanks"))
            if fails:
                raise HTTPException(409)
        """,
    "tests/test_orders.py": """
        import pytest

        from fastforge.contrib.mail.testing import outbox

        @pytest.mark.parametrize("number", [1, 2])
        async def test_a_receipt_is_mailed(client, jobs, number):
            assert outbox() == []
            await client.post("/orders")
            await client.post("/orders", params={"fails": True})
            assert outbox() == []
            await jobs.drain()
            assert [(each.subject, each.text) for each in outbox()] == [("Order", "Thanks")]

        async def test_jobs_that_run_at_once(client, jobs):
            with jobs.inline():
                await client.post("/orders")
            assert outbox()[0].recipients == ("ann@example.org",)

        FILE = {"backend": "file", "folder": "out", "from_address": "a@b.example"}

        @pytest.mark.settings(MAIL=FILE)
        async def test_another_backend(client, jobs, project):
            await client.post("/orders")
            await jobs.drain()
            assert len(list((project.settings.root / "out").glob("*.eml"))) == 1
            assert outbox() == []
        """,
}


def test_each_test_has_an_outbox_of_its_own(tmp_path: Path) -> None:
    ProjectFolder(tmp_path).write(FILES)
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "tests"]
    done = run(argv, cwd=tmp_path, deadline_s=240)
    assert "4 passed" in done.stdout, done.stdout + done.stderr
