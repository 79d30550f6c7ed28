"""Auth: what it costs to know who asks, and what fifty logins at once do to everybody else.

`identity-hit` is a request of somebody who asked before: its CPU time without the server's, its
line in the log included. `hand-written` is the usual application: a dependency that looks a token
up in Redis as JSON, beside a database session. Both check a token in 100 ms.

`misses` is a thousand requests with one token at once: how often it is checked. `login-unknown`
is a login of nobody, against one with a wrong password. `login-lag` is how late the event loop is
while fifty log in, against the loop while nobody does.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, TextIO

import psycopg

from fastforge import Project, Role
from fastforge.contrib.auth import HashingBusy, authenticate, create_user
from fastforge.contrib.auth.resources import identities
from fastforge.contrib.db import session
from fastforge.contrib.redis.resources import redis_client
from tests import services

from .baselines.identified import Identified
from .baselines.identified import usual as usual_application
from .baselines.middleware_line import add_access_line, configure
from .edge import Served, access_log_to
from .harness.projects import serving, write_project
from .harness.requests import Application, cpu_us_per_request
from .harness.rows import Row, arguments, interval, row_of, show

BAR: Final = 0.25
AT_ONCE: Final = 1000
LOGINS: Final = 50
PASSWORD: Final = "plum-kettle-9"
BEARER: Final = ((b"authorization", b"Bearer bench-token-of-somebody-1"),)
FILES: Final = {
    "bench/settings.py": """
        import os

        from fastforge.contrib.db import Database
        from fastforge.contrib.redis import Redis

        ALLOWED_HOSTS = ["localhost"]
        SECRET_KEY = os.environ["BENCH_KEY"]
        INSTALLED_APPS = [
            "fastforge.contrib.db",
            "fastforge.contrib.redis",
            "fastforge.contrib.auth",
            "fastforge.contrib.auth.default_user",
            "bench.people",
        ]
        DATABASES = {"default": Database(url=os.environ["BENCH_DATABASE_URL"])}
        REDIS = Redis(url=os.environ["BENCH_REDIS_URL"])
        """,
    "bench/people/__init__.py": "",
    "bench/people/token_verifiers.py": """
        import asyncio

        from fastforge.contrib.auth import Identity, InvalidToken, TokenVerifier
        from fastforge.contrib.auth.default_user.models import User
        from fastforge.contrib.db import session


        class Slow(TokenVerifier):
            name = "slow"
            verified = 0

            def accepts(self, token: str) -> bool:
                return token.startswith("bench-")

            async def verify(self, token: str) -> Identity:
                self.verified += 1
                await asyncio.sleep(0.1)
                async with session() as db:
                    user = await db.get(User, int(token.rpartition("-")[2]))
                if user is None or not user.is_active:
                    raise InvalidToken("its user is gone")
                return Identity(id=str(user.id), version=user.version, token_id=token)


        SLOW = Slow()
        """,
    "bench/people/routes.py": """
        from fastapi import APIRouter

        from fastforge.contrib.auth import CurrentIdentity

        router = APIRouter()


        @router.get("/me")
        async def me(me: CurrentIdentity) -> dict[str, int]:
            return {"id": me.id}
        """,
}


def main() -> None:
    """Print the rows, and for people what they mean."""
    options = arguments(__doc__ or "")
    rounds, count = (4, 200) if options.quick else (20, 2000)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        prepare(Path(folder), stack)
        lines = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
        with asyncio.Runner() as runner:
            costs = runner.run(hits(Path(folder), lines, rounds=rounds, count=count))
            rows = [_hit_row(costs)]
            rows += runner.run(inside(Path(folder), rounds=4 if options.quick else 15))
    show(iter(rows), as_json=options.json)
    if not options.json:
        low, high = interval(costs["fastforge"], costs["hand-written"])
        print(f"{'':10} a hit: 95% between {low:.3f} and {high:.3f} of hand-written (bar: {BAR:g})")


def prepare(folder: Path, stack: ExitStack) -> None:
    """Start the services, write the project, make its tables and one user."""
    urls = {}
    for name in ("postgres", "redis"):
        server = services.start(name)
        stack.callback(server.close)
        urls[name] = server.url
    root = Path(__file__).resolve().parent.parent
    paths = os.pathsep.join(map(str, (folder, root, root / "src")))
    os.environ |= {
        "BENCH_DATABASE_URL": urls["postgres"].replace("postgresql:", "postgresql+asyncpg:"),
        "BENCH_REDIS_URL": urls["redis"],
        "BENCH_KEY": secrets.token_urlsafe(48),
        "FASTFORGE_SETTINGS_MODULE": "bench.settings",
        "FASTFORGE_ENV": "production",
        "PYTHONPATH": paths,
    }
    write_project(folder, FILES)
    command = [sys.executable, "-m", "fastforge", "migrate"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    with psycopg.connect(urls["postgres"]) as connection:
        connection.execute(
            "INSERT INTO auth_user (email, scopes, created_at, is_active)"
            " VALUES ('one@example.org', '[]', now(), true)"
        )


# --- hits ----------------------------------------------------------------------------------------


async def hits(folder: Path, lines: TextIO, *, rounds: int, count: int) -> dict[str, list[float]]:
    """Ask both applications in turn, and return what a request cost each of them, by round."""
    costs: dict[str, list[float]] = {"fastforge": [], "hand-written": []}
    usual = Identified(os.environ["BENCH_DATABASE_URL"], os.environ["BENCH_REDIS_URL"])
    async with serving(folder) as (_, app):
        theirs = usual_application(usual)
        configure(lines)
        add_access_line(theirs)
        subjects: dict[str, Application] = {
            "fastforge": Served(app, access_log_to(lines)),
            "hand-written": theirs,
        }
        for turn in range(rounds + 1):
            for name, subject in subjects.items():
                cost = await cpu_us_per_request(subject, "GET", "/me", count=count, headers=BEARER)
                if turn:  # the first one only warms up
                    costs[name].append(cost)
    await usual.close()
    return costs


def _hit_row(costs: dict[str, list[float]]) -> Row:
    return row_of(
        benchmark="auth",
        case="identity-hit",
        subject="fastforge",
        costs=costs["fastforge"],
        against="hand-written",
        costs_against=costs["hand-written"],
    )


# --- in this process -----------------------------------------------------------------------------


async def inside(folder: Path, *, rounds: int) -> list[Row]:
    """Return the rows of what is measured in this process."""
    logging.getLogger("fastforge.auth").setLevel(logging.ERROR)
    project = Project.load("bench.settings", start=folder)
    async with project.running(Role.COMMAND) as container:
        ours, theirs = await misses(container)
        await container[redis_client].flushdb()
        yielded = [_row("misses", [ours], "hand-written", [theirs], "checks")]
        async with session() as db, db.atomic():
            await create_user(db, "ann@example.org", PASSWORD)
        yielded += await logins(rounds)
    return yielded


async def misses(container: Any) -> tuple[float, float]:
    """Return how often a token is checked that a thousand ask with at once: by us, by others."""
    verifier = container.registry.values("token_verifiers")
    slow = next(each for each in verifier if each.name == "slow")
    before = slow.verified
    token = "bench-token-of-many-1"
    await asyncio.gather(*(container[identities].of_token(token) for _ in range(AT_ONCE)))
    urls = os.environ["BENCH_DATABASE_URL"], os.environ["BENCH_REDIS_URL"]
    usual = Identified(*urls)

    async def ask() -> None:
        async for db in usual.session():
            await usual.user_of(token, db, usual.redis)

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    await usual.close()
    return slow.verified - before, usual.verified


async def logins(rounds: int) -> list[Row]:
    """Return the rows of logins: of nobody, and of fifty at once."""
    known, unknown = list[float](), list[float]()
    for turn in range(rounds * 4 + 1):
        pair = [await _login_ms("ann@example.org"), await _login_ms(f"x{turn}@example.org")]
        if turn:
            known.append(pair[0])
            unknown.append(pair[1])
    idle, busy = list[float](), list[float]()
    for _ in range(max(2, rounds // 4)):
        idle.append(await _lag_ms(asyncio.sleep(0.5)))
        busy.append(await _lag_ms(_rush()))
    return [
        _row("login-unknown", unknown, "wrong-password", known, "ms"),
        _row("login-lag", busy, "idle", idle, "ms"),
    ]


async def _login_ms(login: str) -> float:
    began = time.perf_counter()
    async with session() as db:
        user = await authenticate(db, login, "no-such-kettle-9")
    assert user is None
    return (time.perf_counter() - began) * 1e3


async def _rush() -> None:
    async def log_in() -> None:
        async with session() as db:
            try:
                await authenticate(db, "ann@example.org", PASSWORD)
            except HashingBusy:
                return

    await asyncio.gather(*(log_in() for _ in range(LOGINS)))


async def _lag_ms(work: Any) -> float:
    """Return how late the loop is while something runs, at the 99th of a hundred looks."""
    task, late = asyncio.ensure_future(work), list[float]()
    while not task.done():
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        late.append((time.perf_counter() - began - 0.005) * 1e3)
    await task
    return max(0.01, statistics.quantiles(late, n=100)[-1])


def _row(case: str, costs: list[float], against: str, others: list[float], unit: str) -> Row:
    return row_of(
        benchmark="auth",
        case=case,
        subject="fastforge",
        costs=costs,
        against=against,
        costs_against=others,
        unit=unit,
        us_per_unit=1000 if unit == "ms" else 0,
    )


if __name__ == "__main__":
    main()
