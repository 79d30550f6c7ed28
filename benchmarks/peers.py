"""Peers: one small service on fastforge, as `startproject` makes it, and on what others use.

`ping` answers at once. `identity` says who asks, by a token that is known: in Redis, which is where
`fastforge.contrib.auth` keeps it too. `read` is one row by its key, `create` a POST that commits;
both are there once more with SQLite. `routing-200` is the last one of two hundred routes.

`hand-written` is FastAPI as most projects have it: `@app.middleware("http")` that logs by structlog
as it is installed, a session that commits after the `yield`, `pool_pre_ping`.
`hand-written-careful` has a pure ASGI layer in place of it, structlog as its page on performance
recommends, a session that ends with the handler. `litestar` has its own plugins. `django` has
coroutines for views, under uvicorn; `django-wsgi` plain ones, in 16 threads of gunicorn.

All have one process, the same rows, five connections to the database, an access log and request
ids, and are asked in turn over 16 connections. Cases that end in `-rate` are requests per second.

A run for people, neither `--quick` nor `--json`, keeps its figures in `benchmarks/results`, draws
them, and writes the tables of `docs/benchmarks.md` and of the README; with `--case` those of other
cases stay as they are. `--redraw` only does what follows the measuring.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import psycopg

from scripts.test_everywhere import find_python
from tests import services
from tests.processes import ROOT

from .harness.plots import cpu_plot
from .harness.results import Results
from .harness.rounds import Costs, Service, costs_of
from .harness.rows import Row, arguments, interval, row_of, show
from .harness.servers import request_of
from .harness.subjects import (
    CAREFUL,
    DJANGO_NEEDS,
    FASTFORGE,
    PACKAGES,
    USUAL,
    Place,
    Subject,
    fastforge,
    keep_token,
    others,
)
from .harness.tables import page, put, summary

IMAGES: Final = ROOT / "docs" / "images"
ITEM_ID: Final = 1_000_000
"""High, so that the length of answers does not change while rows are added."""
NEW: Final = b'{"name": "kettle", "price": 24.5, "in_stock": true}'
READ: Final = request_of("GET", f"/items/{ITEM_ID}")
CREATE: Final = request_of("POST", "/items", NEW)
PING: Final = request_of("GET", "/ping")
LAST_ROUTE: Final = request_of("GET", "/app19/things9/7")
INSERT: Final = (
    f"INSERT INTO items_item (id, name, price, in_stock) VALUES ({ITEM_ID}, 'kettle', 24.5, true)"
)
GOALS: Final = {
    ("ping", USUAL): 0.38,
    ("identity", USUAL): 0.18,
    ("read", USUAL): 0.52,
    ("create", USUAL): 0.60,
    ("ping", CAREFUL): 0.95,
    ("identity", CAREFUL): 0.50,
    ("read", CAREFUL): 0.70,
    ("create", CAREFUL): 0.90,
    ("routing-200", USUAL): 0.50,
    ("routing-200", CAREFUL): 0.50,
}
"""What ours shall cost at most of what another does; where nothing stands, as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Cases that are measured together.

    Attributes:
        name: Of the database, or what is special.
        requests: By the names of the cases.
        knows_who_asks: Whether `identity` is a case too.
        has_many_routes: Whether there are two hundred routes more.
    """

    name: str
    requests: Mapping[str, bytes]
    knows_who_asks: bool = False
    has_many_routes: bool = False

    @property
    def cases(self) -> list[str]:
        """The names of all cases."""
        return [*self.requests, *(["identity"] if self.knows_who_asks else [])]

    def of(self, subject: Subject, wanted: Iterable[str]) -> Service:
        """Return how one is asked."""
        requests = {"ping": PING, **self.requests}
        if self.knows_who_asks:
            headers = {"Authorization": f"Bearer {subject.token}"}
            requests["identity"] = request_of("GET", "/me", headers=headers)
        return Service(web=subject.web, requests={case: requests[case] for case in wanted})


PARTS: Final = (
    Part(
        name="postgresql",
        requests={"ping": PING, "read": READ, "create": CREATE},
        knows_who_asks=True,
    ),
    Part(name="sqlite", requests={"read-sqlite": READ, "create-sqlite": CREATE}),
    Part(name="routes", requests={"routing-200": LAST_ROUTE}, has_many_routes=True),
)
CASES: Final = [case for part in PARTS for case in part.cases]


def main() -> None:
    """Print the rows, and for people how sure they are."""
    options = arguments(__doc__ or "", CASES, redraw="write the pages from the figures of before")
    if options.redraw:
        publish(Results.read())
        return
    rounds, requests = (1, 160) if options.quick else (10, 1600)
    found: Costs = {}
    for part in PARTS:
        wanted = [case for case in part.cases if case in (options.case or CASES)]
        if wanted:
            costs = measured(part, wanted, rounds=rounds, requests=requests)
            found |= costs
            show(rows_of(costs), as_json=options.json)
            if not options.json:
                print_intervals(costs)
    if not (options.quick or options.json):
        kept = Results.read().costs if options.case else {}
        publish(Results.of({**kept, **found}, PACKAGES))


def publish(results: Results) -> None:
    """Keep the figures, draw them, and write them into the pages."""
    results.write()
    results = Results.read()  # as they are kept, which is rounded
    (IMAGES / "peers.svg").write_text(cpu_plot(results), encoding="utf-8")
    put(page(results), ROOT / "docs" / "benchmarks.md")
    put(summary(results), ROOT / "README.md")


def measured(part: Part, wanted: list[str], *, rounds: int, requests: int) -> Costs:
    """Start what a part needs, and return what its cases cost."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(_server("redis"))
        keep_token(redis)
        if part.name == "sqlite":
            file = folder / "items.sqlite3"
            url = f"sqlite+aiosqlite:///{file}"
        else:
            postgres = stack.enter_context(_server("postgres"))
            url = postgres.replace("postgresql:", "postgresql+asyncpg:")
        place = Place(database=url, redis=redis, has_many_routes=part.has_many_routes)
        (folder / "project").mkdir()
        subjects = {FASTFORGE: fastforge(folder / "project", place)}
        if part.name == "sqlite":
            _insert_sqlite(file)
        else:
            _insert_postgres(postgres)
        subjects |= others(place, python_of_django())
        asked = {name: part.of(subject, wanted) for name, subject in subjects.items()}
        return costs_of(asked, requests=requests, rounds=rounds)


@contextmanager
def _server(name: str) -> Iterator[str]:
    """Start a PostgreSQL or Redis: its URL."""
    server = services.start(name)
    try:
        yield server.url
    finally:
        server.close()


def _insert_postgres(url: str) -> None:
    """Write the row that is read, and let others have numbers after it."""
    with psycopg.connect(url) as connection:
        connection.execute(INSERT)
        connection.execute(
            "SELECT setval(pg_get_serial_sequence('items_item', 'id'), %s)", [ITEM_ID]
        )


def _insert_sqlite(file: Path) -> None:
    """Write the row that is read; what comes after it has the next number."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(INSERT)


def python_of_django() -> str | None:
    """Return a Python that Django takes, or say that there is none."""
    for minor in DJANGO_NEEDS:
        if (python := find_python(minor)) is not None:
            return python
    print("Django is left out: it needs Python 3.12 or newer, and there is none", file=sys.stderr)
    return None


def rows_of(costs: Costs) -> Iterator[Row]:
    """Yield the row of everybody in each case: CPU time, then requests per second."""
    for case, subjects in costs.items():
        for name, cost in subjects.items():
            yield row_of(
                benchmark="peers",
                case=case,
                subject=name,
                costs=cost.cpu_us,
                against=USUAL,
                costs_against=subjects[USUAL].cpu_us,
            )
        for name, cost in subjects.items():
            row = row_of(
                benchmark="peers",
                case=f"{case}-rate",
                subject=name,
                costs=cost.wall_us,
                against=USUAL,
                costs_against=subjects[USUAL].wall_us,
            )
            rate, cpu_us = 1e6 / row.value, statistics.median(cost.cpu_us)
            yield replace(row, value=round(rate, 1), unit="req/s", cpu_us=round(cpu_us, 2))


def print_intervals(costs: Costs) -> None:
    """Print how sure it is what ours costs of what others do, and what it shall cost at most."""
    for case, subjects in costs.items():
        ours = subjects[FASTFORGE].cpu_us
        for name in (name for name in subjects if name != FASTFORGE):
            low, high = interval(ours, subjects[name].cpu_us)
            goal = GOALS.get((case, name), 1.0)
            print(f"{case:16} CPU of {name:20} 95% {low:.3f} to {high:.3f} (goal {goal:g})")


if __name__ == "__main__":
    main()
