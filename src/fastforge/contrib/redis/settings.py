"""The setting REDIS, and what makes a usable URL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import AfterValidator, Field

from ..._utils import did_you_mean, redact
from ...conf import Section

__all__ = ["Redis"]

SCHEMES: Final = ("redis", "rediss", "unix")
_FORMS: Final = (
    "write redis://user:password@host:6379/0, rediss:// for TLS, or unix:///run/redis.sock?db=0"
)
_ESCAPED: Final = "in a user or password write %40 for @, %2F for /, %3F for ? and %23 for #"
_OPTIONS: Final = (
    "db",
    "ssl_ca_certs",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_keyfile",
)
"""What may stand behind the question mark; all else has a field, or would change the answers."""


def _usable_url(url: str) -> str:
    if "://" not in url:
        raise ValueError(f"this is no Redis URL; {_FORMS}")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(f"the URL cannot be read; {_ESCAPED}") from None
    _check_scheme(parts.scheme)
    _check_address(parts)
    _check_database(parts)
    _check_options(parts)
    return url


def _check_scheme(scheme: str) -> None:
    if scheme not in SCHEMES:
        near = did_you_mean(scheme, SCHEMES)
        raise ValueError(f"{scheme!r} is no scheme of Redis; {near or _FORMS}")


def _check_address(parts: SplitResult) -> None:
    # What stands where the port belongs may be half of a password: it is never repeated.
    if "@" in parts.netloc.rpartition("@")[0]:
        raise ValueError(f"the URL has two @ before its host; {_ESCAPED}")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError(f"the port of the URL is no number up to 65535; {_ESCAPED}") from None
    if parts.scheme == "unix":
        if parts.hostname or not parts.path.strip("/"):
            raise ValueError(f"the URL names no socket; {_FORMS}")
    elif not parts.hostname:
        raise ValueError(f"the URL names no host; {_FORMS}")


def _check_database(parts: SplitResult) -> None:
    number = dict(parse_qsl(parts.query)).get("db", "0")
    if parts.scheme != "unix":
        number = parts.path.strip("/") or number
    if not number.isdecimal():
        raise ValueError(f"{number!r} is no number of a Redis database; they begin at 0")


def _check_options(parts: SplitResult) -> None:
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if name not in _OPTIONS:
            hint = (
                did_you_mean(name, _OPTIONS) or "time limits and the pool are fields of Redis(...)"
            )
            raise ValueError(f"the URL has the option {name!r}, which is not known here; {hint}")


class Redis(Section, setting="REDIS"):
    """The Redis server that a process talks to.

    ```python
    REDIS = Redis(url=env("REDIS_URL", default="redis://localhost:6379/0"))
    ```

    Attributes:
        url: `redis://`, `rediss://` for TLS, or `unix://`.
        connect_timeout_s: How long making a connection may take, in seconds.
        read_timeout_s: How long one answer, or the wait for a free connection, may take, in
            seconds.
        max_connections: How many connections a process has at most; who wants another one waits.
        required: Whether a process refuses to start without it, and is not ready while it is away.
    """

    url: Annotated[str, AfterValidator(_usable_url)]
    connect_timeout_s: float = Field(default=1, gt=0)
    read_timeout_s: float = Field(default=1, gt=0)
    max_connections: int = Field(default=50, ge=1)
    required: bool = False

    @property
    def target(self) -> str:
        """The URL without its password."""
        return redact(self.url)

    def most_connections(self, environment: str) -> int:
        """Return the size of the pool."""
        return self.max_connections

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, redact(value) if name == "url" and value else value
