"""The mailer in a project: who delivers, what is tried again, what is refused at the start."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from fastforge import Project, Role
from fastforge.asgi import get_asgi_application
from fastforge.checks import Patient, run_checks
from fastforge.contrib.mail import Attachment, Mail, MailError, Message, MessageError
from fastforge.contrib.mail.examinations import mail_server_lets_us_in
from fastforge.contrib.mail.letter import letter_of
from fastforge.contrib.mail.memory import delivered
from fastforge.contrib.mail.resources import mailer
from fastforge.contrib.mail.tasks import deliver
from fastforge.exceptions import StartError
from fastforge.observability.events import MAIL_MESSAGES
from fastforge.observability.metrics import exporting, snapshot
from fastforge.tasks import JobState
from fastforge.test import Jobs, run_command
from fastforge.test.jobs.backends import BackendsOfTests
from tests.folder import ProjectFolder, isolated
from tests.processes import run

from .mailhost import MailHost, mail_host

MESSAGE = Message(to="Ann <ann@example.org>", bcc="eve@example.org", subject="Hello", text="Hi")
FILES = {
    "shop/settings.py": """
        INSTALLED_APPS = ["fastforge.contrib.mail", "shop"]
        SECRET_KEY = "only-for-these-tests-0123456789abcdef0123456789abcdef"
        ALLOWED_HOSTS = ["localhost"]
        TASKS = {"backend": "memory"}
        """,
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    delivered.clear()
    with isolated(tmp_path) as folder:
        folder.write(FILES)
        yield folder


def by_smtp(host: MailHost, **more: Any) -> dict[str, Any]:
    plain = {"backend": "smtp", "host": "localhost", "port": host.port, "tls": "none"}
    return {**plain, "from_address": "shop@example.org", **more}


def project_of(
    folder: ProjectFolder, mail: Mapping[str, Any], environment: str = "test"
) -> Project:
    project = folder.load({"FASTFORGE_ENV": environment})
    return project.overriding(settings={"MAIL": {"from_address": "shop@example.org", **mail}})


@asynccontextmanager
async def jobs_of(project: Project) -> AsyncIterator[tuple[Project, Jobs]]:
    backends = BackendsOfTests()
    project = backends.used_by(project)
    jobs = Jobs(project, backends)
    try:
        yield project, jobs
    finally:
        await jobs.close()


async def test_in_tests_a_message_is_a_job_and_then_in_memory(folder: ProjectFolder) -> None:
    async with (
        jobs_of(project_of(folder, {})) as (project, jobs),
        project.running(Role.COMMAND) as container,
    ):
        message_id = await container[mailer].send(MESSAGE)
        (job,) = await jobs.enqueued(deliver)
        assert (job.queue, list(delivered)) == ("mail", [])
        await jobs.drain()
    (letter,) = delivered
    assert (letter.message_id, letter.subject, letter.text) == (message_id, "Hello", "Hi")
    assert letter.recipients == ("ann@example.org", "eve@example.org")


async def test_what_cannot_be_sent_is_refused_before_it_is_a_job(folder: ProjectFolder) -> None:
    big = Attachment(name="a", content=bytes(2000))
    message = Message(to="ann@example.org", subject="s", text="t", attachments=[big])
    async with (
        jobs_of(project_of(folder, {"max_message_bytes": 1500})) as (project, jobs),
        project.running(Role.COMMAND) as container,
    ):
        with pytest.raises(MessageError, match=r"mail\.E004"):
            await container[mailer].send(message)
        assert await jobs.enqueued() == []


async def test_a_server_that_is_away_is_tried_again_with_the_same_id(
    folder: ProjectFolder, nobodys_port: int
) -> None:
    async with (
        jobs_of(project_of(folder, by_smtp(MailHost(port=nobodys_port)))) as (project, jobs),
        project.running(Role.COMMAND) as container,
    ):
        message_id = await container[mailer].send(MESSAGE)
        (job,) = await jobs.drain(raises=False)
        assert (job.state, job.attempt) == (JobState.READY, 1)
        assert "ann@example.org" not in str(job.errors)
        with mail_host(port=nobodys_port) as host:
            await jobs.drain(with_scheduled=True)
    (received,) = host.received
    assert received.message["Message-ID"] == message_id


async def test_a_refusal_ends_the_job(folder: ProjectFolder, host: MailHost) -> None:
    host.answer("CONTENT", "554 we do not want ann@example.org to read this")
    async with (
        jobs_of(project_of(folder, by_smtp(host))) as (project, jobs),
        project.running(Role.COMMAND) as container,
    ):
        await container[mailer].send(MESSAGE)
        (job,) = await jobs.drain(raises=False, with_scheduled=True)
    assert (job.state, job.attempt) == (JobState.DEAD, 1)
    assert "mail.E005" in str(job.errors)
    assert "ann@example.org" not in str(job.errors)


async def test_who_is_deferred_is_tried_again_and_nobody_gets_it_twice(
    folder: ProjectFolder, host: MailHost
) -> None:
    host.answer("RCPT ann@example.org", "450 who are you", "450 who are you")
    async with (
        jobs_of(project_of(folder, by_smtp(host))) as (project, jobs),
        project.running(Role.COMMAND) as container,
    ):
        await container[mailer].send(MESSAGE)
        await jobs.drain()
        (job,) = await jobs.enqueued(deliver)
        assert job.run_at - jobs.clock.now() > timedelta(seconds=30)
        await jobs.drain(with_scheduled=True, raises=False)
    assert [each.recipients for each in host.received] == [
        ("eve@example.org",),
        ("ann@example.org",),
    ]
    assert len({each.message["Message-ID"] for each in host.received}) == 1


async def test_endings_are_counted_for_who_exports_metrics(
    folder: ProjectFolder, host: MailHost
) -> None:
    project = project_of(folder, by_smtp(host))
    async with project.running(Role.COMMAND) as container:
        with exporting(container):
            await container[mailer].send(MESSAGE, immediately=True)
            for verb, answer in (("MAIL", "550 no"), ("MAIL", "450 no"), ("RCPT", "550 no")):
                host.answer(verb, answer)
                with pytest.raises(MailError):
                    await container[mailer].send(MESSAGE, immediately=True)
            samples = [each for each in snapshot(container) if each.metric is MAIL_MESSAGES]
    counted = {each.labels[0]: each.value for each in samples}
    assert counted == {"sent": 1, "refused": 1, "unavailable": 1, "partly": 1}


async def test_the_console_shows_what_a_person_would_read(
    folder: ProjectFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    message = Message(
        to="Ann <ann@example.org>",
        bcc="eve@example.org",
        subject="Grüße",
        text="Hi\x1b[2J\nthere",
        html="<p>Hi</p>",
        attachments=[Attachment(name="a.pdf", content=b"123")],
    )
    project = project_of(folder, {"backend": "console"})
    async with project.running(Role.COMMAND) as container:
        await container[mailer].send(message, immediately=True)
    shown = capfd.readouterr().out
    for part in ("To: Ann <ann@example.org>", "Subject: Grüße", "Bcc: 1 more", "there"):
        assert part in shown
    assert "(attached: a.pdf, 3 bytes)" in shown
    assert "\x1b" not in shown
    assert "eve@" not in shown


async def test_the_backend_file_writes_what_mail_programs_open(folder: ProjectFolder) -> None:
    project = project_of(folder, {"backend": "file", "folder": "outgoing"})
    async with project.running(Role.COMMAND) as container:
        letter = letter_of(MESSAGE, container[mailer].config)
        await container[mailer].deliver(letter)
        await container[mailer].deliver(letter)  # the same one again, as a job may
    (file,) = (folder.path / "outgoing").iterdir()
    assert file.suffix == ".eml"
    assert message_from_bytes(file.read_bytes())["Message-ID"] == letter.message_id


async def test_an_app_brings_a_backend_of_its_own(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/mail_backends.py": """
                from contextlib import asynccontextmanager

                from fastforge.contrib.mail import Delivery, MailBackend

                sent = []

                class Pigeon:
                    async def deliver(self, letter):
                        sent.append(letter.recipients)
                        return Delivery()

                @asynccontextmanager
                async def open_loft(container):
                    yield Pigeon()
                    sent.append("closed")

                PIGEON = MailBackend(name="pigeon", open=open_loft)
                """
        }
    )
    project = project_of(folder, {"backend": "pigeon"})
    async with project.running(Role.COMMAND) as container:
        await container[mailer].send(MESSAGE, immediately=True)
    sent = sys.modules["shop.mail_backends"].sent
    assert sent == [("ann@example.org", "eve@example.org"), "closed"]
    with pytest.raises(StartError, match="did you mean 'pigeon'"):
        async with project_of(folder, {"backend": "pigion"}).running(Role.COMMAND):
            pass


FAULTS = [
    ({"backend": None, "host": ""}, "production", "MAIL.host names no server"),
    ({"backend": "smtp", "host": "h", "from_address": ""}, "test", "does not say from whom"),
    ({"reply_to": "nobody"}, "test", "MAIL.reply_to: 'nobody' is no address"),
    ({"backend": "smpt"}, "test", "no installed app declares"),
]


@pytest.mark.parametrize(("mail", "environment", "told"), FAULTS)
async def test_settings_that_send_nothing_stop_the_start_and_are_found_by_a_check(
    folder: ProjectFolder, mail: dict[str, Any], environment: str, told: str
) -> None:
    project = project_of(folder, mail, environment)
    with pytest.raises(StartError, match=told):
        async with project.running(Role.COMMAND):
            pass
    assert told in by_id(project)["mail.E010"]
    patient = Patient(project=project, timeout_s=1)
    (row,) = [row async for row in mail_server_lets_us_in.function(patient)]  # type: ignore[union-attr]
    assert (row.verdict, row.stops, told in row.text) == ("fail", True, True)


def by_id(project: Project, *, deploy: bool = False) -> dict[str, str]:
    found = run_checks(project, tags={"mail"}, deploy=deploy)
    return {message.id: str(message.text) for message in found.messages}


def test_production_without_mail_and_a_password_in_the_clear_are_found(
    folder: ProjectFolder,
) -> None:
    assert (
        "nobody gets any mail"
        in by_id(project_of(folder, {"backend": "console"}, "production"), deploy=True)["mail.W010"]
    )
    clear = {"backend": "smtp", "host": "mail.example.org", "tls": "none"}
    project = project_of(folder, {**clear, "username": "u", "password": "p"}, "production")
    assert by_id(project, deploy=True) == {
        "mail.W011": "the password and all messages go to smtp://mail.example.org:25 in the clear"
    }
    project = project_of(folder, {**clear, "host": "127.0.0.1"}, "production")
    assert by_id(project, deploy=True) == {}
    project = project_of(folder, {**clear, "tls": "starttls"}, "production")
    assert by_id(project, deploy=True) == {}


async def test_the_doctor_connects_and_logs_in(folder: ProjectFolder, nobodys_port: int) -> None:
    async def row(host: MailHost, **more: Any) -> tuple[str, str]:
        patient = Patient(project=project_of(folder, by_smtp(host, **more)), timeout_s=5)
        rows = mail_server_lets_us_in.function(patient)
        (found,) = [each async for each in rows]  # type: ignore[union-attr]
        return found.verdict, found.text

    with mail_host(users={"shop": "s3cret"}) as host:
        verdict, text = await row(host, username="shop", password="s3cret")
        assert (verdict, "logged in as shop: reached in " in text) == ("ok", True)
        verdict, text = await row(host, username="shop", password="wr0ng")
        assert (verdict, "refuses the login: 535" in text) == ("warn", True)
        assert "wr0ng" not in text
    assert await row(MailHost(port=nobodys_port)) == (
        "warn",
        f"smtp://localhost:{nobodys_port} cannot be reached: nothing listens there",
    )
    assert host.received == []


def test_sendtestmail_sends_now_and_says_by_what(folder: ProjectFolder, host: MailHost) -> None:
    project = project_of(folder, by_smtp(host))
    done = run_command(project, "sendtestmail", "ann@example.org")
    assert done.exit_code == 0, done.error
    (received,) = host.received
    assert f"sent by smtp://localhost:{host.port}: {received.message['Message-ID']}" in done.output
    host.answer("RCPT", "550 no such person")
    refused = run_command(project, "sendtestmail", "nobody@example.org")
    assert (refused.exit_code, "[mail.E005]" in refused.error) == (1, True)
    wrong = run_command(project, "sendtestmail", "nobody")
    assert (wrong.exit_code, "[mail.E001]" in wrong.error) == (1, True)


def test_no_output_has_the_password(folder: ProjectFolder) -> None:
    mail = Mail(host="h", username="u", password="hunter2x")
    assert "hunter2x" not in repr(mail)
    project = project_of(folder, {"backend": "console", "password": "hunter2x"})
    assert "hunter2x" not in run_command(project, "settings").output


def test_without_the_extra_the_line_that_installs_it_is_told(tmp_path: Path) -> None:
    code = "import sys; sys.modules['aiosmtplib'] = None; import fastforge.contrib.mail.{}"
    run_it = [sys.executable, "-c"]
    assert run([*run_it, code.format("mail_backends")], cwd=tmp_path).returncode == 0
    missing = run([*run_it, code.format("smtp.transport")], cwd=tmp_path)
    assert 'pip install "fastforge-framework[mail]"' in missing.stderr


async def test_a_production_without_the_extra_does_not_start(
    folder: ProjectFolder, host: MailHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastforge.contrib.mail.choosing.PACKAGE", "aiosmtplib_that_is_not_there")
    project = project_of(folder, by_smtp(host))
    with pytest.raises(StartError, match=r'pip install "fastforge-framework\[mail\]"'):
        async with project.running(Role.COMMAND):
            pass
    assert "is not installed" in by_id(project)["mail.E010"]


def test_a_request_that_sends_at_once_is_answered_503_while_the_server_is_away(
    folder: ProjectFolder, nobodys_port: int
) -> None:
    folder.write(
        {
            "shop/routes.py": """
                from fastapi import APIRouter
                from fastforge.contrib.mail import Mailer, Message

                router = APIRouter()

                @router.post("/now")
                async def now(mailer: Mailer) -> str:
                    message = Message(to="ann@example.org", subject="Now", text="Hi")
                    return await mailer.send(message, immediately=True)
                """
        }
    )
    project = project_of(folder, by_smtp(MailHost(port=nobodys_port)))
    with TestClient(get_asgi_application(project), base_url="http://localhost") as client:
        answers = [client.post("/now") for _ in range(6)]
        ready = client.get("/readyz")
    assert [answer.status_code for answer in answers] == [503] * 6
    assert "ann@" not in "".join(answer.text for answer in answers)
    assert ready.status_code == 200
    assert ready.json()["status"] == "warn", ready.text
