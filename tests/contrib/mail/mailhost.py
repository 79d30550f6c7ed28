"""A mail server in a thread: real SMTP, also by TLS, which answers as a test tells it."""

from __future__ import annotations

import base64
import re
import socket
import socketserver
import ssl
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

__all__ = ["Certificate", "MailHost", "Received", "certificate_in", "mail_host"]

HANG_UP = "hang up"
"""In place of an answer: the server closes the connection."""
DEADLINE_S = 60
FOLLOWED = re.compile(rb"(?m)^\.")


@dataclass(frozen=True)
class Certificate:
    """A certificate for `localhost` that has signed itself."""

    key: Path
    public: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.public, self.key)
        return context


def certificate_in(folder: Path) -> Certificate:
    """Make a certificate."""
    key, public = folder / "own.key", folder / "own.crt"
    argv = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "2")
    named = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    subprocess.run((*argv, "-keyout", key, "-out", public, *named), check=True, capture_output=True)
    return Certificate(key=key, public=public)


@dataclass(frozen=True)
class Received:
    """A message as the server got it."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    encrypted: bool
    login: str

    @property
    def message(self) -> EmailMessage:
        return BytesParser(EmailMessage, policy=default).parsebytes(self.content)


@dataclass
class MailHost:
    """What was received, and how the next commands are answered.

    Attributes:
        answers: By verb, or `CONNECT` or `CONTENT` (the end of a message): what is said in place of
            yes, the next first; of `RCPT` by recipient as well.
        holds: Where a test sets it: what is waited for before a whole message is answered.
    """

    certificate: Certificate | None = None
    implicit: bool = False
    users: dict[str, str] = field(default_factory=dict)
    port: int = 0
    received: list[Received] = field(default_factory=list)
    answers: dict[str, deque[str]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    open: set[socket.socket] = field(default_factory=set)
    holds: threading.Event | None = None

    def answer(self, verb: str, *answers: str) -> None:
        """Answer the next commands of a verb so."""
        self.answers[verb] = deque(answers)

    def said(self, *verbs: str) -> str | None:
        """What the next of these is answered by; None for yes."""
        for verb in verbs:
            if self.answers.get(verb):
                return self.answers[verb].popleft()
        return None

    def hang_up(self) -> None:
        """Close all connections, as a server does that starts anew."""
        for each in list(self.open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


class _HungUp(Exception):
    pass


class _Handler(socketserver.StreamRequestHandler):
    def setup(self) -> None:
        assert isinstance(self.server, _Server)
        self.host = self.server.host
        self.encrypted = self.host.implicit
        self.login = self.sender = ""
        self.recipients: list[str] = []
        if self.host.implicit:
            self._encrypt()
        self.host.connections += 1
        self.host.open.add(self.request)
        super().setup()

    def finish(self) -> None:
        self.host.open.discard(self.request)
        with suppress(OSError):
            super().finish()
        self.request.close()

    def handle(self) -> None:
        with suppress(_HungUp, OSError):
            self._say("220 localhost", "CONNECT")
            while line := self.rfile.readline():  # another one once it is encrypted
                command = line.decode("ascii").strip()
                verb, _, rest = command.partition(" ")
                self.host.commands.append(verb.upper())
                if verb.upper() == "QUIT":
                    self._say("221 bye", "QUIT")
                    return
                getattr(self, f"on_{verb.lower()}")(rest)

    def on_ehlo(self, name: str) -> None:
        offers = [f"localhost greets {name}", "8BITMIME", "SIZE 10000000"]
        if self.host.certificate and not self.encrypted:
            offers.append("STARTTLS")
        if self.host.users:
            offers.append("AUTH PLAIN")
        lines = [f"250-{each}" for each in offers[:-1]] + [f"250 {offers[-1]}"]
        self._say("\r\n".join(lines), "EHLO")

    def on_starttls(self, _: str) -> None:
        self._say("220 go", "STARTTLS")
        self._encrypt()
        self.encrypted = True
        super().setup()

    def on_auth(self, words: str) -> None:
        _, user, password = base64.b64decode(words.split()[-1]).decode().split("\0")
        if self.host.users.get(user) == password:
            self.login = user
            self._say("235 yes", "AUTH")
        else:
            self._say(f"535 who is {user}@example.org", "AUTH")

    def on_mail(self, rest: str) -> None:
        self.sender, self.recipients = rest.partition("<")[2].partition(">")[0], []
        self._say("250 yes", "MAIL")

    def on_rcpt(self, rest: str) -> None:
        recipient = rest.partition("<")[2].partition(">")[0]
        if self._say("250 yes", f"RCPT {recipient}", "RCPT"):
            self.recipients.append(recipient)

    def on_data(self, _: str) -> None:
        if not self._say("354 go", "DATA"):
            return
        content = b""
        while (line := self.rfile.readline()) != b".\r\n":
            content += FOLLOWED.sub(b"", line)
        if said := self.host.said("CONTENT"):
            self._say(said)
            return
        self._received(content)
        if self.host.holds is not None:
            self.host.holds.wait(DEADLINE_S)
        self._say("250 yes")

    def on_noop(self, _: str) -> None:
        self._say("250 yes", "NOOP")

    def on_rset(self, _: str) -> None:
        self._say("250 yes", "RSET")

    def _received(self, content: bytes) -> None:
        recipients = tuple(self.recipients)
        self.host.received.append(
            Received(self.sender, recipients, content, self.encrypted, self.login)
        )

    def _say(self, yes: str, *verbs: str) -> bool:
        said = self.host.said(*verbs)
        if HANG_UP in (said, yes):
            self.request.shutdown(socket.SHUT_RDWR)
            raise _HungUp
        self.wfile.write(f"{said or yes}\r\n".encode())
        self.wfile.flush()
        return said is None

    def _encrypt(self) -> None:
        assert self.host.certificate is not None
        context = self.host.certificate.context()
        plain = self.request
        try:
            self.request = context.wrap_socket(plain, server_side=True)
        except OSError:  # the client does not trust it
            plain.close()
            raise


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, host: MailHost) -> None:
        self.host = host
        super().__init__(("127.0.0.1", host.port), _Handler)
        host.port = self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a handshake that the client breaks off."""


@contextmanager
def mail_host(
    *,
    certificate: Certificate | None = None,
    implicit: bool = False,
    users: dict[str, str] | None = None,
    port: int = 0,
) -> Iterator[MailHost]:
    """Give a server that runs until the end of the block."""
    host = MailHost(certificate=certificate, implicit=implicit, users=users or {}, port=port)
    server = _Server(host)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        host.hang_up()
        thread.join()
