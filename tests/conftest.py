"""What every test may ask for: a database of its own, a Redis of its own, the asyncio backend.

The servers are started when the first test of a process asks for one and end with that process;
with `pytest -n` each worker has its own. `DATABASE_URL` and `REDIS_URL`, when given, are used in
their place. A server that is not installed is an error, never a skipped test.
"""

from __future__ import annotations

import compileall
import gc
import itertools
import os
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import hypothesis
import pytest

from . import services

if TYPE_CHECKING:
    import psycopg

# Kept under another name: a project that a test loads must not find the server by accident.
# (The variables are gone before `pytest -n` starts its workers, which inherit the new names.)
for _name in ("DATABASE_URL", "REDIS_URL"):
    if _name in os.environ:
        os.environ[f"FASTFORGE_TEST_{_name}"] = os.environ.pop(_name)

# Tests write a module, import it, and write it anew within the second by which Python tells whether
# its bytecode is stale.
sys.dont_write_bytecode = True
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # and so in the processes that they start
# Our own is written first, once: else each of these processes compiles what it imports.
if "PYTEST_XDIST_WORKER" not in os.environ:
    compileall.compile_dir(Path(__file__).parent.parent / "src", quiet=2)

# What a script puts in the background ignores Ctrl-C, and so would all that it starts: also the
# programs that tests interrupt, which begin with the default whatever our handler is. Those that
# are to ignore it say so.
for _signal, _handler in (
    (signal.SIGINT, signal.default_int_handler),  # as without a script: pytest tells where it was
    (signal.SIGQUIT, signal.SIG_DFL),
):
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, _handler)

LONGEST = "tests/scaffold/test_first_hour.py"

# Where what a driver does is itself the subject: its errors, connections, statements, transactions.
# A test elsewhere that runs with asyncpg too is among the long ones with psycopg.
BY_EACH_DRIVER = (
    "tests/contrib/db/faults/",
    "tests/contrib/db/migrations/test_acceptance.py",
    "tests/contrib/db/pool/",
    "tests/contrib/db/postgres_channels/",
    "tests/contrib/db/queries/",
    "tests/contrib/db/sessions/test_misuse.py",
    "tests/contrib/db/sessions/test_retrying.py",
    "tests/contrib/db/sessions/test_session.py",
    "tests/contrib/db/test_bad_input.py",
    "tests/contrib/db/test_engine.py",
    "tests/contrib/db/test_resources.py",
    "tests/contrib/db/testing/test_transactions.py",
    "tests/contrib/jobs/contract/test_claiming.py",
    "tests/contrib/jobs/contract/test_transactions.py",
)

# No test times anything: a slow machine is not a failure.
hypothesis.settings.register_profile("fastforge", deadline=None, print_blob=True)
hypothesis.settings.load_profile("fastforge")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the thousands of collected tests from the garbage collector, which would walk them all.

    They live as long as the process does, and a full collection, which some tests ask for and all
    set off now and then, takes a tenth of a second without them and more than half with them.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)  # xdist may be off
def pytest_xdist_auto_num_workers() -> int:
    """How many `-n auto` is: one more than there are processors, since tests wait for programs."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)  # before the long ones are left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no other worker waits for it at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
    found = {item.nodeid for item in items}
    for item in items:
        twin = item.nodeid.replace("psycopg", "asyncpg")
        if twin != item.nodeid and twin in found and not item.nodeid.startswith(BY_EACH_DRIVER):
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio alone, as fastforge does."""
    return "asyncio"


# --- PostgreSQL ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server on which databases may be made."""
    given = os.environ.get("FASTFORGE_TEST_DATABASE_URL", "")
    if given.startswith("postgres"):
        yield with_driver(given, "")
        return
    server = services.start("postgres")
    yield server.url
    server.close()


@pytest.fixture(scope="session")
def postgres_admin(postgres_server: str) -> Iterator[psycopg.Connection]:
    """A connection that makes and drops the tests' databases."""
    import psycopg

    with psycopg.connect(postgres_server, autocommit=True) as connection:
        yield connection
        drop_databases(connection)


_numbers = itertools.count()
_done_with: list[str] = []


@pytest.fixture
def postgres_dsn(postgres_server: str, postgres_admin: psycopg.Connection) -> Iterator[str]:
    """A fresh, empty database: `postgresql://...`, the form that libpq's tools take."""
    drop_databases(postgres_admin)
    name = f"fastforge_{os.getpid()}_{next(_numbers)}"
    postgres_admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield urlunsplit(urlsplit(postgres_server)._replace(path=f"/{name}"))
    _done_with.append(name)


def drop_databases(admin: psycopg.Connection) -> None:
    """Drop what earlier tests had: at once would be to wait until their connections have ended."""
    from psycopg import sql

    while _done_with:
        name = _done_with.pop()
        # With the templates that the tests of a project there have left for the next ones.
        own = admin.execute(
            "SELECT datname FROM pg_database WHERE datname = %s OR starts_with(datname, %s)",
            [name, f"{name}_"],
        )
        for (each,) in own.fetchall():
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(each)))


@pytest.fixture
def postgres_url(postgres_dsn: str) -> str:
    """The test's database for asyncpg: `postgresql+asyncpg://...`."""
    return with_driver(postgres_dsn, "asyncpg")


@pytest.fixture
def postgres_psycopg_url(postgres_dsn: str) -> str:
    """The same database for psycopg: `postgresql+psycopg://...`."""
    return with_driver(postgres_dsn, "psycopg")


@pytest.fixture(params=["asyncpg", "psycopg"])
def each_postgres_url(request: pytest.FixtureRequest, postgres_dsn: str) -> str:
    """A fresh PostgreSQL database; the test runs once for each driver."""
    return with_driver(postgres_dsn, request.param)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that is not there yet: `sqlite+aiosqlite:///...`."""
    return f"sqlite+aiosqlite:///{tmp_path / 'test.sqlite3'}"


@pytest.fixture(params=["sqlite", "asyncpg", "psycopg"])
def each_database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database; the test runs once for SQLite and for each PostgreSQL driver."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        return url
    return with_driver(request.getfixturevalue("postgres_dsn"), request.param)


def with_driver(url: str, driver: str) -> str:
    """The same address for another driver; none for `driver=""`."""
    scheme = f"postgresql+{driver}" if driver else "postgresql"
    return f"{scheme}://{url.split('://', 1)[1]}"


# --- Redis ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The address of a Redis server whose database may be emptied."""
    given = os.environ.get("FASTFORGE_TEST_REDIS_URL")
    if given:
        own = with_database(given, of_worker=os.environ.get("PYTEST_XDIST_WORKER", "gw0"))
        refuse_keys_of_others(own)
        yield own
        return
    server = services.start("redis")
    yield server.url
    server.close()


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """An empty Redis database: `redis://...`."""
    yield redis_server
    import redis

    with redis.Redis.from_url(redis_server) as client:
        client.flushdb()


def with_database(url: str, *, of_worker: str) -> str:
    """The named Redis, each parallel worker in a database of its own: the next numbers."""
    parts = urlsplit(url)
    number = int(parts.path.strip("/") or 0) + int(of_worker.removeprefix("gw"))
    return urlunsplit(parts._replace(path=f"/{number}"))


def refuse_keys_of_others(url: str) -> None:
    """A Redis that somebody named is emptied by the tests: only if it was empty before."""
    import redis

    with redis.Redis.from_url(url) as client:
        keys = client.dbsize()
    if keys:
        raise pytest.UsageError(
            f"REDIS_URL names a database that holds {keys} keys, and the tests empty it: "
            "give one that is empty (the number at the end of the address)"
        )
