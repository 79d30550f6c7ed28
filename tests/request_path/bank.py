"""A bank, and customers who keep book of what they are told: each answer can be held against it."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["ACCOUNTS", "BANK", "FUNDS", "TABLES", "Customers"]

ACCOUNTS: Final = 20
FUNDS: Final = ACCOUNTS * 1000

TABLES: Final = """
    CREATE TABLE bank_account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
    CREATE TABLE bank_transfer (
        id SERIAL PRIMARY KEY, key VARCHAR(40) NOT NULL UNIQUE, amount INTEGER NOT NULL
    );
    INSERT INTO bank_account SELECT n, 1000 FROM generate_series(1, 20) AS n;
    """

SETTINGS: Final = """
    from fastforge.conf import App, env
    from fastforge.contrib.db import Database

    INSTALLED_APPS = ["fastforge.contrib.db", App("shop.bank", prefix="/api"), "shop.inside"]
    DATABASES = {
        "default": Database(
            url=env.secret("DATABASE_URL"), pool_size=4, client_check_interval_s=0.2
        )
    }
    TASKS = {"backend": "memory"}
    """

MODELS: Final = """
    from sqlalchemy.orm import Mapped, mapped_column

    from fastforge.contrib.db import Model

    class Account(Model):
        id: Mapped[int] = mapped_column(primary_key=True)
        balance: Mapped[int]

    class Transfer(Model):
        id: Mapped[int] = mapped_column(primary_key=True)
        key: Mapped[str] = mapped_column(unique=True)
        amount: Mapped[int]
    """

ROUTES: Final = """
    import asyncio

    from fastapi import APIRouter
    from fastapi.responses import JSONResponse, StreamingResponse
    from sqlalchemy import func, select, text

    from fastforge.contrib.db import DbSession, session
    from .models import Account, Transfer

    router = APIRouter()

    @router.post("/transfers/{source}/{target}/{amount}/{key}", status_code=201)
    async def transfer(source: int, target: int, amount: int, key: str, db: DbSession):
        # Changed as objects, not in the database: a stale value would show in the total.
        accounts = {}
        for number in sorted({source, target}):
            accounts[number] = await db.get_one(Account, number, with_for_update=True)
        accounts[source].balance -= amount
        accounts[target].balance += amount
        db.add(Transfer(key=key, amount=amount))
        if accounts[source].balance < 0:
            return JSONResponse({}, 409)
        return {"key": key}

    @router.get("/accounts/{number}")
    async def balance(number: int, db: DbSession):
        account = await db.get_one(Account, number)
        return {"id": account.id, "balance": account.balance}

    @router.get("/total")
    async def total(db: DbSession):
        return await db.scalar(select(func.sum(Account.balance)))

    @router.get("/slow")
    async def slow(db: DbSession):
        await db.scalar(text("SELECT 1 FROM pg_sleep(0.3)"))
        return {}

    @router.get("/all")
    async def everything():
        async def rows():
            async with session() as db, db.streaming(select(Transfer.key)) as found:
                async for key in found.scalars():
                    yield f"{key}\\n"
                    await asyncio.sleep(0)

        return StreamingResponse(rows(), media_type="text/plain")
    """

INSIDE: Final = """
    import asyncio
    import gc

    from fastapi import APIRouter

    from fastforge.contrib.db.resources import database
    from fastforge.lifecycle import current_container

    router = APIRouter()

    @router.get("/ready")
    async def ready():
        return {}

    @router.get("/inside")
    async def inside():
        gc.collect()
        pool = current_container()[database].engine.sync_engine.pool
        return {"out": pool.checkedout(), "tasks": len(asyncio.all_tasks())}
    """

BANK: Final = {
    "shop/settings.py": SETTINGS,
    "shop/bank/__init__.py": "",
    "shop/bank/models.py": MODELS,
    "shop/bank/routes.py": ROUTES,
    "shop/inside/__init__.py": "",
    "shop/inside/routes.py": INSIDE,
}

PAUSE_S: Final = 0.05
PATIENCE_S: Final = 60


@dataclass(slots=True)
class Customers:
    """Many who use the bank at once, and keep book of what they were told.

    Attributes:
        done: The keys of the transfers that were acknowledged.
        refused: Those of the transfers that were answered with an error which says that nothing
            was done.
        unknown: Those that had no answer, or one that leaves it open.
        statuses: How many answers there were of each status.
        wrong: What the bank said that cannot be.
        restarting: Whether nobody may be there to answer.
    """

    port: int
    done: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    restarting: bool = False
    _numbers: Any = field(default_factory=itertools.count)
    _random: random.Random = field(default_factory=lambda: random.Random(7))

    async def use(self, stop: asyncio.Event, *, customers: int = 12) -> None:
        """Do what customers do until they are told to stop."""
        await asyncio.gather(*(self._customer(stop) for _ in range(customers)))

    async def _customer(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            what = self._random.choice(
                (self._transfer, self._transfer, self._balance, self._total, self._slow, self._rows)
            )
            await what()

    async def _transfer(self) -> None:
        key = f"t{next(self._numbers)}"
        source, target = self._random.sample(range(1, ACCOUNTS + 1), 2)
        amount = self._random.randint(1, 300)
        self.unknown.add(key)
        leaves = self._random.random() < 0.1
        answer = await self._ask(
            "POST", f"/api/transfers/{source}/{target}/{amount}/{key}", leaves=leaves
        )
        if answer is None:
            return
        status, body = answer
        if status == 201:
            self.done.add(key)
        elif status == 503 or status < 500:
            self.refused.add(key)
        else:
            if status != 500:
                self.wrong.append(f"{status} {body!r} for a transfer")
            return
        self.unknown.discard(key)

    async def _balance(self) -> None:
        number = self._random.randint(1, ACCOUNTS)
        answer = await self._ask("GET", f"/api/accounts/{number}")
        if answer and answer[0] == 200 and json.loads(answer[1])["balance"] < 0:
            self.wrong.append(f"the account {number} has {answer[1]!r}")

    async def _total(self) -> None:
        answer = await self._ask("GET", "/api/total")
        if answer and answer[0] == 200 and json.loads(answer[1]) != FUNDS:
            self.wrong.append(f"all together have {answer[1]!r}")

    async def _slow(self) -> None:
        await self._ask("GET", "/api/slow", leaves=self._random.random() < 0.5)

    async def _rows(self) -> None:
        known = set(self.done)
        answer = await self._ask("GET", "/api/all", leaves=self._random.random() < 0.3)
        if answer and answer[0] == 200 and answer[1].endswith(b"\n"):
            missing = known - set(answer[1].decode().split())
            if missing:
                self.wrong.append(f"acknowledged and not there: {sorted(missing)[:5]}")

    async def _ask(
        self, method: str, path: str, *, leaves: bool = False
    ) -> tuple[int, bytes] | None:
        """Return status and body; None when there was no whole answer."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._asked(method, path, leaves=leaves)
        except (ConnectionError, asyncio.IncompleteReadError):
            if not self.restarting:
                self.wrong.append(f"no answer to {method} {path}")
            await asyncio.sleep(PAUSE_S)
        except TimeoutError:
            self.wrong.append(f"no answer to {method} {path} within {PATIENCE_S} s")
        return None

    async def _asked(self, method: str, path: str, *, leaves: bool) -> tuple[int, bytes] | None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            writer.write(f"{head}Content-Length: 0\r\n\r\n".encode())
            if leaves:
                await asyncio.sleep(self._random.random() * PAUSE_S)
                return None
            answer = await reader.read()
        finally:
            writer.close()
        head_, _, body = answer.partition(b"\r\n\r\n")
        if not head_:
            raise ConnectionError
        status = int(head_.split(b" ", 2)[1])
        self.statuses[status] += 1
        return status, _joined(body) if b"chunked" in head_.lower() else body


def _joined(body: bytes) -> bytes:
    """Return a body without the sizes of its chunks; nothing when its end is missing."""
    parts = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size or b"0", 16)
        if length == 0:
            return b"".join(parts)
        parts.append(body[:length])
        body = body[length + 2 :]
    return b""
