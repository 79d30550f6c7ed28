"""The backend `smtp` against a real server: TLS, login, answers, connections that are kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from fastforge import Role
from fastforge.contrib.mail import Mail, MailRefused, MailUnavailable, Message
from fastforge.contrib.mail.letter import letter_of
from fastforge.contrib.mail.resources import mailer
from fastforge.contrib.mail.sender import MailSender
from fastforge.contrib.mail.smtp.connections import IDLE_S, Connections
from fastforge.lifecycle import BreakerOpen, breaker_gauges
from fastforge.observability.tracing import open_tracers
from tests.folder import ProjectFolder, isolated
from tests.processes import wait_until_async

from .mailhost import HANG_UP, Certificate, MailHost, certificate_in, mail_host

MESSAGE = Message(to=["ann@example.org", "bob@example.org"], subject="Hello", text=".\n..\nHi")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate_in(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": 'INSTALLED_APPS = ["fastforge.contrib.mail"]\n'})
        yield folder


@asynccontextmanager
async def sending(folder: ProjectFolder, at: MailHost, **more: Any) -> AsyncIterator[MailSender]:
    plain = {
        "backend": "smtp",
        "host": "localhost",
        "port": at.port,
        "tls": "none",
        "from_address": "Shop <shop@example.org>",
    }
    settings = {"MAIL": plain | more, "TASKS": {"backend": "memory"}}
    project = folder.load().overriding(settings=settings)
    async with project.running(Role.COMMAND) as container:
        yield container[mailer]


async def failure(sender: MailSender, message: Message = MESSAGE) -> str:
    with pytest.raises((MailRefused, MailUnavailable)) as caught:
        await sender.send(message, immediately=True)
    return str(caught.value)


async def test_a_message_arrives_as_it_was_written(folder: ProjectFolder, host: MailHost) -> None:
    async with sending(folder, host) as sender:
        message_id = await sender.send(
            Message(to="ann@example.org", bcc="eve@bücher.example", subject="ä", text=".\n..\nHi"),
            immediately=True,
        )
    (received,) = host.received
    assert received.sender == "shop@example.org"
    assert received.recipients == ("ann@example.org", "eve@xn--bcher-kva.example")
    assert received.message["Message-ID"] == message_id
    assert received.message["Subject"] == "ä"
    assert received.message.get_content().splitlines() == [".", "..", "Hi"]
    assert b"eve" not in received.content


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_with_tls_the_login_is_encrypted(
    folder: ProjectFolder, certificate: Certificate, tls: str
) -> None:
    with mail_host(
        certificate=certificate, implicit=tls == "implicit", users={"shop": "s3cret"}
    ) as host:
        login = {"username": "shop", "password": "s3cret", "ca_file": str(certificate.public)}
        async with sending(folder, host, tls=tls, **login) as sender:
            await sender.send(MESSAGE, immediately=True)
        (received,) = host.received
    assert (received.encrypted, received.login) == (True, "shop")


async def test_a_certificate_that_nobody_knows_or_of_another_name_is_refused(
    folder: ProjectFolder, certificate: Certificate
) -> None:
    with mail_host(certificate=certificate) as host:
        async with sending(folder, host, tls="starttls") as sender:
            assert "CERTIFICATE_VERIFY_FAILED" in await failure(sender)
        trust = {"tls": "starttls", "ca_file": str(certificate.public), "host": "127.0.0.1"}
        async with sending(folder, host, **trust) as sender:
            assert "CERTIFICATE_VERIFY_FAILED" in await failure(sender)
    assert host.received == []


async def test_starttls_that_is_not_offered_is_not_gone_without(
    folder: ProjectFolder, host: MailHost
) -> None:
    async with sending(folder, host, tls="starttls", username="shop", password="x") as sender:
        assert "STARTTLS" in await failure(sender)
    assert "AUTH" not in host.commands
    assert host.received == []


async def test_a_refused_login_is_the_settings_fault_and_messages_wait(
    folder: ProjectFolder,
) -> None:
    with mail_host(users={"shop": "s3cret"}) as host:
        async with sending(folder, host, username="shop", password="old") as sender:
            with pytest.raises(MailUnavailable) as caught:
                await sender.send(MESSAGE, immediately=True)
    told = str(caught.value)
    assert "[mail.E007]" in told
    assert "refuses the login: 535 who is ***" in told
    assert "old" not in told


@pytest.mark.parametrize(
    ("verb", "answer", "error"),
    [
        ("MAIL", "550 not you", MailRefused),
        ("MAIL", "451 not now", MailUnavailable),
        ("RCPT", "550 ann@example.org is unknown", MailRefused),
        ("RCPT", "450 ann@example.org: come back", MailUnavailable),
        ("DATA", "554 no", MailRefused),
        ("CONTENT", "552 too much", MailRefused),
        ("CONTENT", "452 full", MailUnavailable),
        ("CONNECT", "554 no service", MailUnavailable),
        ("EHLO", "421 closing", MailUnavailable),
        ("CONTENT", HANG_UP, MailUnavailable),
        ("MAIL", HANG_UP, MailUnavailable),
    ],
)
async def test_what_a_server_says_is_for_good_or_for_now(
    folder: ProjectFolder, host: MailHost, verb: str, answer: str, error: type[Exception]
) -> None:
    host.answer(verb, answer, answer)
    async with sending(folder, host) as sender:
        with pytest.raises((MailRefused, MailUnavailable)) as caught:
            await sender.send(MESSAGE, immediately=True)
        assert type(caught.value).__mro__[:3].count(error) == 1
        assert "ann@" not in str(caught.value)
        host.answers.clear()
        await sender.send(MESSAGE, immediately=True)
    assert len(host.received) == 1


async def test_recipients_are_named_where_the_settings_say_so(
    folder: ProjectFolder, host: MailHost
) -> None:
    host.answer("RCPT", *["550 ann@example.org is unknown"] * 2)
    async with sending(folder, host, log_addresses=True) as sender:
        assert "ann@example.org is unknown" in await failure(sender)


async def test_some_recipients_are_told_apart_from_those_that_were_taken(
    folder: ProjectFolder, host: MailHost, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "fastforge.mail")
    everybody = ["ann@example.org", "bob@example.org", "eve@example.org"]
    host.answer("RCPT bob@example.org", "450 later")
    host.answer("RCPT eve@example.org", "550 never")
    async with sending(folder, host) as sender:
        letter = letter_of(Message(to=everybody, subject="s", text="t"), sender.config)
        delivery = await sender.deliver(letter)
        assert (delivery.deferred, delivery.refused) == (("bob@example.org",), ("eve@example.org",))
        host.answer("RCPT bob@example.org", "450 later")
        assert "[mail.E009]" in await failure(sender)
    assert host.received[0].recipients == ("ann@example.org",)
    text = " ".join(record.getMessage() for record in caplog.records)
    assert letter.message_id in text
    assert "1 are to be tried again, 1 are refused for good" in text
    assert "@example.org" not in text.replace(letter.message_id, "").replace("@example.org>", "")


async def test_a_connection_is_used_again_and_closed_politely(
    folder: ProjectFolder, host: MailHost
) -> None:
    async with sending(folder, host) as sender:
        for _ in range(3):
            await sender.send(MESSAGE, immediately=True)
        host.answer("RCPT", "550 no", "550 no")
        await failure(sender)
        await sender.send(MESSAGE, immediately=True)
        assert host.connections == 1
    assert len(host.received) == 4
    assert host.commands[-1] == "QUIT"


async def test_one_that_the_server_has_closed_is_replaced_unseen(
    folder: ProjectFolder, host: MailHost
) -> None:
    async with sending(folder, host) as sender:
        await sender.send(MESSAGE, immediately=True)
        host.hang_up()
        await sender.send(MESSAGE, immediately=True)
    assert (host.connections, len(host.received)) == (2, 2)


async def test_one_that_nobody_uses_is_closed(
    host: MailHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert IDLE_S > 1
    monkeypatch.setattr("fastforge.contrib.mail.smtp.connections.IDLE_S", 0.01)
    connections = Connections(Mail(host="localhost", port=host.port, tls="none"), tmp_path)
    async with connections.connected() as client:
        assert client.is_connected
    await wait_until_async(lambda: not host.open)
    assert not client.is_connected


async def test_a_server_that_is_away_opens_the_breaker(
    folder: ProjectFolder, nobodys_port: int
) -> None:
    async with sending(folder, MailHost(port=nobodys_port)) as sender:
        for _ in range(5):
            assert "nothing listens there" in await failure(sender)
        with pytest.raises(BreakerOpen):
            await sender.send(MESSAGE, immediately=True)
        assert "nothing listens there" in breaker_gauges()["mail"].failure
        with mail_host(port=nobodys_port) as host:

            async def arrives() -> bool:
                try:
                    await sender.send(MESSAGE, immediately=True)
                except (MailUnavailable, BreakerOpen):
                    return False
                return True

            await wait_until_async(arrives)
            assert len(host.received) == 1


async def test_a_delivery_is_a_span_without_addresses(
    folder: ProjectFolder, host: MailHost
) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("tests")
    host.answer("RCPT", "550 no", "550 no")
    open_tracers.append(tracer)
    try:
        async with sending(folder, host) as sender:
            with tracer.start_as_current_span("root"):
                await failure(sender)
                await sender.send(MESSAGE, immediately=True)
    finally:
        open_tracers.remove(tracer)
    refused, sent, _ = kept.get_finished_spans()
    where = {"server.address": "localhost", "server.port": host.port}
    assert (sent.name, dict(sent.attributes or {})) == ("send mail", where)
    assert dict(refused.attributes or {}) == {**where, "error.type": "MailRefused"}


async def test_a_process_has_so_many_connections(folder: ProjectFolder, host: MailHost) -> None:
    async with sending(folder, host, max_connections=2) as sender:
        await asyncio.gather(*(sender.send(MESSAGE, immediately=True) for _ in range(10)))
    assert len(host.received) == 10
    assert host.connections == 2


async def test_a_connection_whose_answer_is_late_is_never_used_again(
    folder: ProjectFolder, host: MailHost
) -> None:
    host.holds = threading.Event()
    async with sending(folder, host, timeout_s=2) as sender:
        assert "no answer in time" in await failure(sender)
        host.holds.set()
        host.answer("MAIL", "550 no")
        assert "refuses the message: 550 no" in await failure(sender)
        await sender.send(MESSAGE, immediately=True)
    assert host.connections == 2
