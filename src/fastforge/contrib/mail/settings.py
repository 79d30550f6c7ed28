"""The setting MAIL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

from pydantic import Field

from ...conf import Section

__all__ = ["BACKENDS", "PORTS", "Mail", "TlsMode"]

TlsMode: TypeAlias = Literal["starttls", "implicit", "none"]

BACKENDS: Final[Mapping[str, str]] = MappingProxyType(
    {"development": "console", "test": "memory", "production": "smtp"}
)
"""What delivers, by the environment."""
PORTS: Final[Mapping[str, int]] = MappingProxyType({"starttls": 587, "implicit": 465, "none": 25})
"""Where servers listen, by the TLS mode."""
_HIDDEN: Final = "***"


class Mail(Section, setting="MAIL"):
    """Who sends mail, and through which server.

    ```python
    MAIL = Mail(
        host=env("SMTP_HOST", default=""),
        username=env("SMTP_USERNAME", default=""),
        password=env.secret("SMTP_PASSWORD", default=""),
        from_address="Shop <shop@example.org>",
    )
    ```

    Attributes:
        backend: What delivers: `console`, `file`, `memory`, `smtp`, or one that an app declares.
            Unless set: the console in development, the memory in tests, SMTP in production.
        host: The SMTP server.
        port: Its port; 587 for `starttls`, 465 for `implicit`, 25 for `none` unless set.
        username: Who logs in there; nobody when it is empty.
        password: The password.
        tls: `starttls` begins in the clear and refuses to go on so; `implicit` speaks TLS from
            the first byte; `none` encrypts nothing.
        ca_file: The certificates that are trusted, a file of the project; those of the system
            unless set.
        connect_timeout_s: How long making a connection may take, in seconds.
        timeout_s: How long one answer of the server may take, in seconds.
        max_connections: How many connections to the server a process has at most.
        from_address: Who sends where a message does not say; its domain is what the server is
            greeted by.
        reply_to: Where answers go unless a message says so.
        subject_prefix: Stands in front of each subject.
        folder: Where the backend `file` writes, relative to the project's root.
        max_message_bytes: How large a message may be, attachments included as they are encoded,
            which adds a third: it waits as a job, in a row of the database.
        max_recipients: How many addresses a message may have.
        log_addresses: Whether log lines and errors name recipients; they are personal data.
    """

    backend: str | None = None
    host: str = ""
    port: int | None = Field(default=None, ge=1, le=65535)
    username: str = ""
    password: str = ""
    tls: TlsMode = "starttls"
    ca_file: str | Path | None = None
    connect_timeout_s: float = Field(default=5, gt=0)
    timeout_s: float = Field(default=10, gt=0)
    max_connections: int = Field(default=4, ge=1)
    from_address: str = ""
    reply_to: str = ""
    subject_prefix: str = ""
    folder: str | Path = "mail"
    max_message_bytes: int = Field(default=5 * 1024 * 1024, ge=1024)
    max_recipients: int = Field(default=100, ge=1)
    log_addresses: bool = False

    def backend_in(self, environment: str) -> str:
        """Return the name of what delivers in an environment."""
        return self.backend or BACKENDS.get(environment, BACKENDS["production"])

    def defaults_in(self, environment: str) -> Mapping[str, Any]:
        """Return what None stands for."""
        return {"backend": self.backend_in(environment), "port": PORTS[self.tls]}

    @property
    def target(self) -> str:
        """The server as it is shown: `smtp://mail.example.org:587`."""
        scheme = "smtps" if self.tls == "implicit" else "smtp"
        return f"{scheme}://{self.host}:{self.real_port}"

    @property
    def real_port(self) -> int:
        """The port that is used."""
        return self.port or PORTS[self.tls]

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, _HIDDEN if name == "password" and value else value
