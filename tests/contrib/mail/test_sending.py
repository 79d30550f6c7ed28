"""From a request to a mail server: jobs in transactions, real processes, what is tried again."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commanding import python, start
from tests.folder import ProjectFolder, isolated
from tests.processes import Response, fetch, free_port, wait_until

from .mailhost import MailHost

SETTINGS = """
    from fastforge.contrib.db import Database
    from fastforge.contrib.mail import Mail
    from fastforge.core.settings import Server
    from fastforge.tasks import Tasks

    SECRET_KEY = "only-for-these-tests-0123456789abcdef0123456789abcdef"
    ALLOWED_HOSTS = ["127.0.0.1"]
    INSTALLED_APPS = [
        "fastforge.contrib.db", "fastforge.contrib.jobs", "fastforge.contrib.mail", "shop",
    ]
    DATABASES = {{"default": Database(url={database!r}, pool_size=2)}}
    SERVER = Server(drain_s=0, linger_s=0)
    TASKS = Tasks(lease_s={lease_s})
    MAIL = Mail(host="127.0.0.1", port={port}, tls="none", from_address="shop@example.org")
"""
ROUTES = """
    from fastapi import APIRouter, HTTPException

    from fastforge.contrib.db import DbSession
    from fastforge.contrib.mail import Attachment, Mailer, Message

    router = APIRouter()

    @router.post("/orders")
    async def order(address: str, fails: bool, db: DbSession, mailer: Mailer) -> str:
        message_id = await mailer.send(
            Message(
                to=address, bcc="books@example.org", subject="Order",
                text="Thanks", html="<b>Thanks</b>",
                attachments=[Attachment(name="receipt.pdf", content=bytes(range(256)) * 100)],
            )
        )
        if fails:
            raise HTTPException(409)
        return message_id

    @router.get("/now")
    async def now(mailer: Mailer) -> str:
        message = Message(to="ann@example.org", subject="Now", text="At once")
        return await mailer.send(message, immediately=True)
"""
COMMAND = """
    \'\'\'Remind Ann.\'\'\'

    from fastforge import injected
    from fastforge.commands import Context, command
    from fastforge.contrib.mail import Mailer, Message

    @command
    async def remind(*, mailer: Mailer = injected, context: Context) -> None:
        message = Message(to="ann@example.org", subject="Soon", text="Tomorrow")
        context.echo(await mailer.send(message))
"""
ENV = {"FASTFORGE_ENV": "production"}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


def manage(folder: ProjectFolder, *argv: str) -> str:
    done = python(["-m", "fastforge", *argv], cwd=folder.path, env=ENV)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write(folder: ProjectFolder, database: str, host: MailHost, *, lease_s: int = 30) -> None:
    settings = SETTINGS.format(database=database, port=host.port, lease_s=lease_s)
    folder.write(
        {
            "shop/settings.py": settings,
            "shop/routes.py": ROUTES,
            "shop/commands/remind.py": COMMAND,
            "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
        }
    )


def posted(url: str, *, fails: bool = False) -> Response:
    answer = fetch(f"{url}/orders?address=ann@example.org&fails={fails}", method="POST")
    assert answer is not None
    return answer


def test_a_message_is_sent_by_a_worker_if_its_transaction_commits(
    folder: ProjectFolder, host: MailHost, database: str
) -> None:
    write(folder, database, host)
    manage(folder, "migrate")
    url = f"http://127.0.0.1:{free_port()}"
    argv = [sys.executable, "-m", "fastforge", "runserver", url[7:], "--no-worker"]
    with start([*argv, "--workers", "1"], cwd=folder.path, env=ENV) as server:
        wait_until(lambda: fetch(f"{url}/livez") is not None or not server.alive, describe=server)
        assert posted(url, fails=True).status == 409
        kept = posted(url)
        assert kept.status == 200, server
        assert host.commands == []  # a job, until a worker runs
        assert json.loads(fetch(f"{url}/now").body).endswith("@example.org>")  # type: ignore[union-attr]
        server.terminate()
        assert server.wait() == 0
    (now,) = host.received
    assert now.message["Subject"] == "Now"
    host.answer("CONTENT", "451 not now")
    with start(
        [sys.executable, "-m", "fastforge", "runworker"], cwd=folder.path, env=ENV
    ) as worker:
        wait_until(lambda: len(host.received) == 2, describe=worker)
        worker.wait_for("sent <")
        worker.terminate()
        assert worker.wait() == 0
        lines = worker.output
    order = host.received[1]
    assert order.recipients == ("ann@example.org", "books@example.org")
    assert order.message["Message-ID"] == json.loads(kept.body)
    (file,) = order.message.iter_attachments()
    assert file.get_content() == bytes(range(256)) * 100
    assert json.loads(kept.body) in lines
    assert "ann@example.org" not in lines
    assert "books@example.org" not in lines
    assert host.commands.count("DATA") == 3  # of the second message twice


def test_a_worker_that_is_killed_before_its_note_sends_the_same_message_again(
    folder: ProjectFolder, host: MailHost, sqlite_url: str
) -> None:
    """At least once, and told apart by nobody: both have one Message-ID."""
    write(folder, sqlite_url, host, lease_s=1)
    manage(folder, "migrate")
    message_id = manage(folder, "remind").strip()
    host.holds = threading.Event()  # the server has it, and the worker has not heard so
    argv = [sys.executable, "-m", "fastforge", "runworker"]
    with start(argv, cwd=folder.path, env=ENV) as killed:
        wait_until(lambda: len(host.received) == 1, describe=killed)
        killed.kill()
    host.holds.set()
    with start(argv, cwd=folder.path, env=ENV) as other:
        other.wait_for(f"sent {message_id}")
        other.terminate()
        assert other.wait() == 0
    assert [each.message["Message-ID"] for each in host.received] == [message_id] * 2
    assert len({each.content for each in host.received}) == 1
