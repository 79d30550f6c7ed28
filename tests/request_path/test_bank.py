"""What a bank has acknowledged is there, once, whatever ends: clients, connections, servers."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Final, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests import services
from tests.conftest import with_driver
from tests.processes import Process, fetch, free_port, wait_until, wait_until_async

from .bank import BANK, FUNDS, TABLES, Customers
from .site import is_ready, runserver, write
from .test_soak import memory_of

MIB = 1024 * 1024
KILL_EVERY_S = 0.2
NAME: Final = "bank"


@pytest.fixture
def dsn() -> Iterator[str]:
    """A database on a server of its own, since this test makes it crash."""
    server = services.start("postgres")
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE bank")
    own = urlunsplit(urlsplit(server.url)._replace(path=f"/{NAME}"))
    with psycopg.connect(own) as tables:
        tables.execute(dedent(TABLES).encode())
    yield own
    server.close()


class Bank:
    """The serving process, which may be started anew on the same port."""

    def __init__(self, path: Path, dsn: str, driver: str) -> None:
        write(path, BANK)
        self.path = path
        self.dsn = dsn
        self.port = free_port()
        self._environ = {"DATABASE_URL": with_driver(dsn, driver)}
        self.process = self._start()

    def _start(self) -> Process:
        process = runserver(self.path, self.port, self._environ)
        wait_until(lambda: is_ready(process, self.port), describe=process)
        return process

    def restart(self) -> None:
        self.process.terminate()
        assert self.process.wait() == 0, str(self.process)
        self.process.close()
        self.process = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.close()

    def inside(self) -> dict[str, int]:
        response = fetch(f"http://127.0.0.1:{self.port}/inside")
        assert response is not None
        found: dict[str, int] = json.loads(response.body)
        return found

    def is_idle(self) -> bool:
        return self.inside()["out"] == 0

    def backends(self, *, working: bool = False) -> list[int]:
        """The process ids of the server's processes that this bank talks to."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            found = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
                " AND (state <> 'idle' OR NOT %s)",
                [NAME, working],
            )
            return [row[0] for row in found]


async def kill_connections(bank: Bank, stop: asyncio.Event) -> int:
    """End one connection of the bank again and again; how many were."""
    killed = 0
    choose = random.Random(11)
    while not stop.is_set():
        await asyncio.sleep(KILL_EVERY_S)
        with suppress(psycopg.OperationalError):  # the server itself is away
            backends = await asyncio.to_thread(bank.backends)
            if backends:
                with await asyncio.to_thread(psycopg.connect, bank.dsn) as connection:
                    connection.execute("SELECT pg_terminate_backend(%s)", [choose.choice(backends)])
                killed += 1
    return killed


async def crash(bank: Bank) -> None:
    """Let the database server lose a process: it ends all others, and starts anew."""

    def kills_one() -> bool:
        for victim in bank.backends():
            with suppress(ProcessLookupError):  # it may have ended by itself just now
                os.kill(victim, signal.SIGKILL)
                return True
        return False

    await wait_until_async(lambda: asyncio.to_thread(kills_one))

    def is_back() -> bool:
        with suppress(psycopg.OperationalError):
            return bank.backends() is not None
        return False

    await wait_until_async(lambda: asyncio.to_thread(is_back))


async def disturbed(bank: Bank, customers: Customers, *, part_s: float) -> int:
    """Three parts: killed connections, a crash of the server, a restart of ours."""
    stop = asyncio.Event()
    using = asyncio.create_task(customers.use(stop))
    killing = asyncio.create_task(kill_connections(bank, stop))
    await asyncio.sleep(part_s)
    await crash(bank)
    await asyncio.sleep(part_s)
    customers.restarting = True
    await asyncio.to_thread(bank.restart)
    customers.restarting = False
    await asyncio.sleep(part_s / 2)  # until then it has imported and cached what it needs
    before = memory_of(bank.process.pid)
    await asyncio.sleep(part_s / 2)
    stop.set()
    await using
    assert await killing > 0
    return before


def holds(bank: Bank, customers: Customers) -> None:
    """What was said is so."""
    wait_until(bank.is_idle, describe=bank.process)
    wait_until(lambda: not bank.backends(working=True), describe=bank.process)
    assert len(bank.backends()) <= 4
    with psycopg.connect(bank.dsn) as connection:
        keys = [row[0] for row in connection.execute("SELECT key FROM bank_transfer")]
        (total,) = connection.execute("SELECT sum(balance) FROM bank_account").fetchone() or (0,)
    assert customers.wrong == []
    assert len(keys) == len(set(keys))
    assert customers.done <= set(keys), "acknowledged and not there"
    assert not customers.refused & set(keys), "refused and there all the same"
    assert set(keys) <= customers.done | customers.unknown
    assert total == FUNDS
    assert "garbage collector" not in bank.process.output
    assert "non-checked-in" not in bank.process.output


@pytest.mark.parametrize("driver", ["asyncpg", pytest.param("psycopg", marks=pytest.mark.long)])
async def test_a_bank_keeps_its_word_for_a_while(tmp_path: Path, dsn: str, driver: str) -> None:
    with Bank(tmp_path, dsn, driver) as bank:
        customers = Customers(bank.port)
        await disturbed(bank, customers, part_s=2)
        holds(bank, customers)
        assert len(customers.done) > 50


@pytest.mark.long
@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_bank_keeps_its_word_for_ten_minutes(tmp_path: Path, dsn: str, driver: str) -> None:
    with Bank(tmp_path, dsn, driver) as bank:
        customers = Customers(bank.port)
        before = await disturbed(bank, customers, part_s=200)
        holds(bank, customers)
        figures = [customers.statuses, len(customers.done), before, memory_of(bank.process.pid)]
        (tmp_path / "figures.json").write_text(json.dumps(figures))
        assert memory_of(bank.process.pid) - before < 10 * MIB
