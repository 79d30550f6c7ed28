"""Database: the typed section of the setting DATABASES, and what makes a usable URL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import SplitResult, parse_qs, urlsplit

from pydantic import AfterValidator, Field, model_validator

from ..._utils import nearest, redact
from ...conf import Section, Setting
from .drivers import DRIVERS, Driver

__all__ = ["DATABASES", "Database"]

_FORMS = (
    "write postgresql+asyncpg://user:password@host/name, postgresql+psycopg://user:password@host/name"
    " or sqlite+aiosqlite:///file.sqlite3"
)
_ESCAPED = "in a user or password write %40 for @, %2F for /, %3F for ? and %23 for #"
_OF_URIS: Final = frozenset({"uri", "mode", "cache", "vfs", "immutable", "nolock", "psow"})
"""What SQLite reads in a URI alone; with a plain path it would become part of the file's name."""
DEVELOPMENT_OVERFLOW: Final = 5
CONNECTIONS: Final = 97
"""What PostgreSQL has for ordinary users by default: 100, of which 3 are its administrators'."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+._-]*(?=:)")

Seconds = Annotated[float, Field(ge=0, le=2_000_000)]
SomeSeconds = Annotated[float, Field(gt=0, le=2_000_000)]


def _usable_url(url: str) -> str:
    scheme = _SCHEME.match(url)
    if scheme is None or "://" not in url:
        raise ValueError(f"this is no database URL; {_FORMS}")
    _check_scheme(scheme.group().lower())
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(f"the URL cannot be read: {error}; {_FORMS}") from None
    _check_address(parts)
    if parts.scheme.startswith("sqlite"):
        _check_sqlite(parts)
    elif not parts.path.strip("/"):
        raise ValueError(f"the URL names no database behind the host; {_FORMS}")
    return url


def _check_address(parts: SplitResult) -> None:
    # What stands where the port belongs may be half of a password: it is never repeated.
    if "@" in parts.netloc.rpartition("@")[0]:
        raise ValueError(f"the URL cannot be read: it has two @ before its host; {_ESCAPED}")
    try:
        _ = parts.port
    except ValueError:
        problem = "its port is no number up to 65535"
        raise ValueError(f"the URL cannot be read: {problem}; {_ESCAPED}") from None


def _check_scheme(scheme: str) -> None:
    if scheme in DRIVERS:
        return
    if "+" not in scheme:
        driverless = {"postgres": "postgresql", "pgsql": "postgresql"}.get(scheme, scheme)
        right = [known for known in DRIVERS if known.startswith(f"{driverless}+")]
        if right:
            raise ValueError(f"the URL does not name its driver; begin it with {_either(right)}")
    dialect = scheme.partition("+")[0]
    near = nearest(
        scheme, [known for known in DRIVERS if nearest(dialect, [known.partition("+")[0]])]
    )
    hint = f"did you mean {near}://?" if near else _FORMS
    raise ValueError(f"{scheme!r} is no driver that fastforge knows; {hint}")


def _either(schemes: list[str]) -> str:
    forms = [f"{scheme}:///" if "sqlite" in scheme else f"{scheme}://" for scheme in schemes]
    return " or ".join(forms)


def _check_sqlite(parts: SplitResult) -> None:
    file = parts.path.removeprefix("/")
    path = re.sub(r"^/+", "/", file.removeprefix("file:"))
    if parts.netloc:
        raise ValueError(
            f"a SQLite URL has three slashes before its file; "
            f"write {parts.scheme}:///{parts.netloc}{parts.path}"
        )
    if not path or path.startswith(":memory:") or "mode=memory" in parts.query:
        raise ValueError(
            "a SQLite database in memory is refused, because every connection of the pool would see"
            " a database of its own; name a file, for example sqlite+aiosqlite:///db.sqlite3"
        )
    if file.startswith("file:") or not _OF_URIS.isdisjoint(parse_qs(parts.query)):
        raise ValueError(
            "a SQLite database is named by its file and not by a URI; write"
            f" {parts.scheme}:///{path}, and in place of mode=ro Database(..., read_only=True)"
        )


class Database(Section, setting="DATABASES"):
    """One database: where it is, its pool, and the limits that the server keeps for us.

    The URL always names its driver. A relative SQLite file is relative to the project's root. The
    time limits are given to PostgreSQL when it connects and cost no round trip; SQLite knows only
    `lock_timeout_s`. What 0 means stands at each field; where it does not, 0 is refused.

    ```python
    DATABASES = {"default": Database(url=env("DATABASE_URL", default="sqlite+aiosqlite:///db.sqlite3"))}
    ```

    Attributes:
        url: `postgresql+asyncpg://`, `postgresql+psycopg://` or `sqlite+aiosqlite:///`.
        pool_size: Connections that one process keeps.
        max_overflow: Connections above that, closed after use; 5 in development, else 0.
        pool_timeout_s: How long one waits for a free connection before PoolExhausted.
        pool_recycle_s: The age at which a connection is replaced; 0: never.
        idle_ping_s: A connection that was idle for longer is tried before it is used; 0: each is.
        connect_timeout_s: The time limit of connecting.
        statement_timeout_s: PostgreSQL ends a statement that runs for longer; 0: no limit. In a
            worker the time limit of the job holds in its place.
        lock_timeout_s: How long a statement waits for somebody else's lock; 0: no limit.
        idle_in_transaction_timeout_s: PostgreSQL ends a transaction in which nothing happens for
            longer; 0: no limit.
        client_check_interval_s: How often PostgreSQL (14 and later) looks whether the client of a
            running statement is still there; 0: never.
        atomic_requests: Whether POST, PUT, PATCH and DELETE run in one transaction.
        direct_url: The way to the server itself where `url` leads to a pooler: migrations take it.
        pooler: `transaction` where a PgBouncer in transaction mode stands in between.
        read_only: A replica: whatever writes is refused.
        required: Whether a process refuses to start without it.
        ssl: Whether the connection is encrypted, in libpq's words; None: it must be, unless the
            server is on this host.
        slow_query_ms: A statement that takes longer is logged; 0: none is.
        repeated_queries: How often one statement may run in a request before development warns
            of it; 0: it never does.
        sql_comment: Whether each statement begins with a comment that has the app and the route.
        ready_when_migrated: Whether readiness, outside development, waits for migrations that are
            not applied.
    """

    url: Annotated[str, AfterValidator(_usable_url)]
    pool_size: Annotated[int, Field(ge=1)] = 5
    max_overflow: Annotated[int, Field(ge=0)] | None = None
    pool_timeout_s: SomeSeconds = 5
    pool_recycle_s: Seconds = 1800
    idle_ping_s: Seconds = 30
    connect_timeout_s: SomeSeconds = 5
    statement_timeout_s: Seconds = 15
    lock_timeout_s: Seconds = 5
    idle_in_transaction_timeout_s: Seconds = 30
    client_check_interval_s: Seconds = 2
    atomic_requests: bool = True
    direct_url: Annotated[str, AfterValidator(_usable_url)] | None = None
    pooler: Literal["transaction"] | None = None
    read_only: bool = False
    required: bool = True
    ssl: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] | None = None
    slow_query_ms: Annotated[int, Field(ge=0)] = 200
    repeated_queries: Annotated[int, Field(ge=0)] = 5
    sql_comment: bool = True
    ready_when_migrated: bool = True

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.pooler and self.is_sqlite:
            raise ValueError("a SQLite file has no pooler; leave pooler out")
        if self.direct_url and self.scheme != self.direct_url.partition(":")[0].lower():
            raise ValueError(
                f"url and direct_url lead to the same database; begin both with {self.scheme}://"
            )
        return self

    @property
    def scheme(self) -> str:
        """`dialect+driver`, a key of `DRIVERS`."""
        return self.url.partition(":")[0].lower()

    @property
    def driver(self) -> Driver:
        """The driver that the URL names."""
        return DRIVERS[self.scheme]

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite file."""
        return self.scheme.startswith("sqlite")

    @property
    def direct(self) -> Database:
        """The same database past its pooler, where `direct_url` says how."""
        if self.direct_url is None:
            return self
        return self.model_copy(update={"url": self.direct_url, "direct_url": None, "pooler": None})

    def defaults_in(self, environment: str) -> dict[str, int]:
        """Return the overflow where none is written."""
        return {"max_overflow": DEVELOPMENT_OVERFLOW if environment == "development" else 0}

    def most_connections(self, environment: str) -> int:
        """Return the size of the pool with its overflow."""
        overflow = self.max_overflow
        if overflow is None:
            overflow = self.defaults_in(environment)["max_overflow"]
        return self.pool_size + overflow

    def most_processes(self, environment: str) -> tuple[int, str] | None:
        """Return how many processes have room in a PostgreSQL that nobody has configured."""
        if self.is_sqlite or self.pooler:
            return None
        each = self.most_connections(environment)
        reason = (
            f"{CONNECTIONS} connections, which PostgreSQL has unless configured, / {each} for each"
            " process / 2, for old and new ones stand side by side while they change"
        )
        return max(1, CONNECTIONS // (2 * each)), reason

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, redact(value) if name in ("url", "direct_url") and value else value


def _default(_environment: str) -> dict[str, Database]:
    return {"default": Database(url="sqlite+aiosqlite:///db.sqlite3")}


DATABASES: Final = Setting(
    name="DATABASES",
    type=Annotated[dict[str, Database], Field(min_length=1)],
    default=_default,
    help='The databases by name; "default" is the one that nobody has to name.',
)
