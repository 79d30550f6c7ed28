"""`manage doctor` tests what a project runs on, and ends with what to do."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import click
import pytest

from fastforge.checks import Diagnosis, Patient, examination
from fastforge.exceptions import ComponentError
from fastforge.management.doctor import report
from fastforge.management.doctor.running import examine
from fastforge.test.proxy import Proxy
from tests import services
from tests.conftest import with_driver
from tests.folder import ProjectFolder
from tests.processes import free_port, run

from .conftest import Shell

DATABASE = """
    from fastforge.contrib.db import Database
    from fastforge.contrib.redis import Redis

    INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.redis", "fastforge.contrib.http",
        "shop.notes"]
    DATABASES = {{"default": Database(url={database!r}, required={required})}}
    REDIS = Redis(url={redis!r})
    """


def settings(database: str, redis: str, *, required: bool = True) -> dict[str, str]:
    text = DATABASE.format(database=database, redis=redis, required=required)
    return {"shop/settings.py": text}


def document(manage: Shell, *options: str) -> tuple[dict[tuple[str, str], dict[str, Any]], int]:
    """The rows of `manage doctor --json` by whose they are and what they tell, and its code."""
    result = manage("doctor", "--json", *options)
    assert result.err == ""
    found = json.loads(result.out)
    rows = {
        (row["of"] or each["title"], row["what"]): row
        for each in found["examinations"]
        for row in each["rows"]
    }
    assert found["ok"] == (result.code == 0)
    return rows, result.code


def test_a_project_that_is_well_has_a_row_for_each_connection(
    shop: ProjectFolder, manage: Shell, each_postgres_url: str, redis_url: str
) -> None:
    shop.write(settings(each_postgres_url, redis_url))
    rows, code = document(manage)
    assert code == 0
    assert {row["verdict"] for row in rows.values()} == {"ok"}
    assert re.match(r"PostgreSQL \d+\S* through \w+ \d", rows["database default", "server"]["text"])
    assert "as ours, within" in rows["database default", "clock"]["text"]
    assert rows["database default", "text"]["text"].startswith("UTF8, time zone ")
    assert rows["database default", "pooler"]["text"] == "none between"
    assert rows["database default", "migrations"]["text"] == "all are applied"
    assert "max_connections" in rows["Databases", "connections"]["text"]
    assert re.match(r"Redis \d", rows["Redis", "server"]["text"])
    assert "when it is full: noeviction" in rows["Redis", "memory"]["text"]
    assert "(maxclients)" in rows["Redis", "connections"]["text"]
    assert {"latency", "clock", "persistence"} <= {what for of, what in rows if of == "Redis"}
    assert ("Process", "fastforge") in rows
    assert ("Host", "open files") in rows


def test_it_is_read_in_aligned_rows_and_ends_with_what_to_do(
    shop: ProjectFolder, manage: Shell, sqlite_url: str, redis_url: str
) -> None:
    """A SQLite file that is not there is not made."""
    shop.write(settings(sqlite_url, redis_url))
    result = manage("doctor")
    assert result.code == 0
    lines = result.out.splitlines()
    assert re.match(r"fastforge \S+  shop\.settings, test$", lines[0])
    rows = [line for line in lines if re.match(r"  (ok  |warn|fail)  \S", line)]
    starts = {re.match(r"  \S+ +\S+(?: \S+)* {2,}", line).end() for line in rows}  # type: ignore[union-attr]
    assert len(starts) == 1
    assert "Database default" in lines
    todo = lines.index("What to do")
    assert lines[todo + 1] == "  1 warn  database default file: run: manage migrate"
    assert re.match(r"\d+ warnings?, \d+ well$", lines[-1])
    assert not Path(sqlite_url.partition(":///")[2]).exists()


def test_in_a_terminal_a_long_line_goes_on_below_itself(
    shop: ProjectFolder, manage: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report.sys, "stdout", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setenv("COLUMNS", "70")
    rows = (Diagnosis(what="paper", text="word " * 30, verdict="warn", hint="word " * 30),)
    found = [report.Examined(name="a", app="b", title="Printer", rows=rows)]
    lines = click.unstyle(report.as_text(found, shop.load().settings)).splitlines()
    assert max(map(len, lines)) <= 70
    assert lines[3].startswith("  warn  paper  word word")
    assert lines[4].startswith("               word word")


def test_a_database_that_is_down_is_one_row_and_the_others_are_asked(
    shop: ProjectFolder, manage: Shell, redis_url: str
) -> None:
    """No password and no traceback; the exit code says that no process can start."""
    url = f"postgresql+asyncpg://shop:s3cret@127.0.0.1:{free_port()}/shop"
    shop.write(settings(url, redis_url))
    rows, code = document(manage)
    row = rows["database default", "server"]
    assert (code, row["verdict"], row["stops"]) == (3, "fail", True)
    assert rows["Redis", "server"]["verdict"] == "ok"
    assert [what for of, what in rows if of == "database default"] == ["server"]
    result = manage("doctor")
    assert result.out.splitlines()[-1].endswith("; no process can start")
    for word in ("s3cret", "Traceback", "fastforge.contrib"):
        assert word not in result.out + result.err


def test_several_databases_are_told_in_the_order_of_the_settings(
    shop: ProjectFolder, manage: Shell, postgres_url: str
) -> None:
    """Also where the first one is the last to answer, and one that is away is no delay for it."""
    with Proxy(postgres_url) as slow:
        slow.slow(latency_s=0.05)
        away = f"postgresql+asyncpg://127.0.0.1:{free_port()}/shop"
        text = DATABASE.format(database=slow.url, redis="redis://x", required=True).replace(
            'DATABASES = {"default"', f'DATABASES = {{"away": Database(url={away!r}), "default"'
        )
        other = f', "other": Database(url={postgres_url!r})}}\n    REDIS'
        shop.write({"shop/settings.py": text.replace("}\n    REDIS", other)})
        found = json.loads(manage("doctor", "--json").out)
    [databases] = [each for each in found["examinations"] if each["title"] == "Databases"]
    assert list(dict.fromkeys(row["of"] for row in databases["rows"])) == [
        "database away",
        "database default",
        "database other",
        "",
    ]


def test_what_a_project_can_do_without_is_a_warning(
    shop: ProjectFolder, manage: Shell, redis_url: str
) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    database = f"postgresql+psycopg://shop:s3cret@{nowhere}/shop"
    shop.write(settings(database, f"redis://:s3cret@{nowhere}/0", required=False))
    rows, code = document(manage)
    assert code == 0
    assert rows["database default", "server"]["verdict"] == "warn"
    assert rows["Redis", "server"]["verdict"] == "warn"
    assert "s3cret" not in json.dumps(list(rows.values()))


def test_who_is_silent_is_named_when_the_time_is_over(
    shop: ProjectFolder, manage: Shell, each_postgres_url: str, redis_url: str
) -> None:
    with Proxy(each_postgres_url) as database, Proxy(redis_url) as redis:
        database.blackhole()
        redis.blackhole()
        shop.write(settings(database.url, redis.url))
        begun = time.monotonic()
        rows, code = document(manage, "--timeout", "1")
        assert time.monotonic() - begun < 30
    assert code == 3
    assert rows["database default", "server"]["verdict"] == "fail"
    assert rows["Redis", "server"]["verdict"] == "warn"
    assert "time" not in {what for _, what in rows}


async def test_clocks_that_differ_are_told(
    shop: ProjectFolder, each_postgres_url: str, redis_url: str
) -> None:
    shop.write(settings(each_postgres_url, redis_url))
    for ahead_s, verdict, side in ((-5, "warn", "ahead of"), (600, "fail", "behind")):
        patient = Patient(
            project=shop.load(), timeout_s=30, now=lambda by=ahead_s: time.time() + by
        )
        rows = [row for each in await examine(patient) for row in each.rows]
        clocks = [row for row in rows if row.what == "clock"]
        assert [(row.verdict, row.text.split(" ", 2)[2].split(" ours")[0]) for row in clocks] == [
            (verdict, side)
        ] * 2


@pytest.fixture
def pooled_url(postgres_url: str, postgres_server: str) -> Iterator[str]:
    """A fresh database, reached through a PgBouncer."""
    server = services.start("pgbouncer", postgres_server)
    name = urlsplit(postgres_url).path
    yield with_driver(urlunsplit(urlsplit(server.url)._replace(path=name)), "asyncpg")
    server.close()


def test_a_pooler_that_nobody_declared_is_told_and_one_that_is_declared_is_asked(
    shop: ProjectFolder, manage: Shell, pooled_url: str, redis_url: str
) -> None:
    shop.write(settings(pooled_url, redis_url))
    rows, _ = document(manage)
    assert "a pooler answers there" in rows["database default", "server"]["text"]
    assert "pooler='transaction'" in rows["database default", "server"]["hint"]

    declared = settings(pooled_url, redis_url)["shop/settings.py"]
    shop.write(
        {"shop/settings.py": declared.replace("required=", "pooler='transaction', required=")}
    )
    rows, code = document(manage)
    assert code == 0
    assert rows["database default", "pooler"]["text"].startswith("it has a pooler and no direct_")
    assert rows["database default", "clock"]["verdict"] == "ok"


def test_settings_that_are_broken_are_refused_as_everywhere(
    shop: ProjectFolder, manage: Shell
) -> None:
    shop.write({"shop/settings.py": "DEBUGG = True\n"})
    doctor, check = manage("doctor"), manage("check")
    assert doctor.code == 2
    assert (doctor.out, doctor.err) == ("", check.err)


def test_a_time_limit_is_a_number_above_zero(shop: ProjectFolder, manage: Shell) -> None:
    result = manage("doctor", "--timeout", "0")
    assert result.code == 2
    assert "[doctor.E001] --timeout is 0; give a number of seconds above 0" in result.err


EXAMINATIONS = """
    import asyncio
    import time

    from fastforge.checks import Diagnosis, examination
    from fastforge.exceptions import ForgeError

    @examination
    async def raises(patient):
        yield Diagnosis(what="first", text="is shown")
        raise ValueError("cannot reach postgresql://shop:s3cret@db/shop")

    @examination(title="Ours")
    def refuses(patient):
        raise ForgeError("there is no printer", code="notes.E001", hint="buy one")
        yield

    @examination
    async def hangs(patient):
        yield Diagnosis(what="first", text="is shown")
        while True:
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                await asyncio.sleep(600)

    @examination
    def sleeps(patient):
        yield Diagnosis(what="first", text="is shown as well")
        time.sleep(600)

    @examination
    async def well(patient):
        yield Diagnosis(what="printer", text=f"{patient.project.name} prints, token=s3cret")
    """


def test_an_examination_that_fails_or_hangs_is_a_row_and_keeps_nobody(
    shop: ProjectFolder,
) -> None:
    """The command ends, in spite of a thread that does not. Secrets are masked."""
    shop.write({"shop/notes/examinations.py": EXAMINATIONS})
    result = run(
        [sys.executable, "-m", "fastforge", "doctor", "--json", "--timeout", "1"],
        cwd=shop.path,
        env={"FASTFORGE_ENV": "test"},
        deadline_s=60,
    )
    assert (result.returncode, result.stderr) == (1, "")
    assert "s3cret" not in result.stdout
    found = {
        each["title"]: [
            (row["what"], row["verdict"], row["text"], row["hint"]) for row in each["rows"]
        ]
        for each in json.loads(result.stdout)["examinations"]
        if each["app"] == "notes"
    }
    late = (
        "time",
        "fail",
        "it was not over within 1 s, and is left",
        "see what it waits for, or give it more: --timeout",
    )
    assert found == {
        "Raises": [
            ("first", "ok", "is shown", ""),
            (
                "failure",
                "fail",
                "the examination 'notes.raises' fails: ValueError: cannot reach"
                " postgresql://shop:***@db/shop",
                "mend shop/notes/examinations.py:10",
            ),
        ],
        "Ours": [("failure", "fail", "there is no printer", "buy one")],
        "Hangs": [("first", "ok", "is shown", ""), late],
        "Sleeps": [("first", "ok", "is shown as well", ""), late],
        "Well": [("printer", "ok", "shop prints, token=***", "")],
    }


RESOURCES = """
    import asyncio

    from fastforge import resource

    def note(word):
        with open("diary", "a") as diary:
            diary.write(word + "\\n")

    async def answers(instance):
        note(f"ping {instance}")

    async def fails(instance):
        raise ConnectionError("the printer is off, password=s3cret")

    @resource(ping=answers)
    async def printer():
        note("open")
        yield "printer"
        note("close")

    @resource(ping=fails)
    async def scanner():
        yield "scanner"

    @resource(ping=fails, required=False)
    async def copier():
        yield "copier"

    @resource
    async def silent():
        note("silent")
        yield "silent"

    async def waits(instance):
        await asyncio.sleep(600)

    @resource(ping=waits)
    async def slow():
        yield "slow"

    @resource(ping=answers, needs=[scanner])
    async def needs_it():
        raise OSError("no paper")
        yield
    """


def test_resources_with_a_ping_are_opened_asked_and_closed(
    shop: ProjectFolder, manage: Shell
) -> None:
    """One that nobody can ask is not opened; one that may be missing is a warning."""
    shop.write({"shop/notes/resources.py": RESOURCES})
    rows, code = document(manage, "--timeout", "1")
    assert code == 3
    told = {
        what.removeprefix("notes."): (row["verdict"], row["text"].partition(",")[0])
        for (of, what), row in rows.items()
        if of == "Resources"
    }
    assert told == {
        "printer": ("ok", "opens and answers"),
        "scanner": ("fail", "ConnectionError: the printer is off"),
        "slow": ("fail", "no answer within 0.9 s"),
        "copier": ("warn", "ConnectionError: the printer is off"),
        "needs_it": (
            "fail",
            "the resource 'needs_it' of the app 'notes' could not be opened: OSError: no paper",
        ),
    }
    assert (shop.path / "diary").read_text().split("\n") == ["open", "ping printer", "close", ""]
    assert "s3cret" not in json.dumps(list(rows.values()))


def test_only_a_function_with_a_yield_is_an_examination() -> None:
    with pytest.raises(ComponentError) as caught:

        @examination
        async def wrong(patient: Patient) -> Diagnosis:
            await asyncio.sleep(0)
            return Diagnosis(what="a", text="b")

    assert caught.value.code == "checks.E006"
    assert "'wrong', which is no function with a yield" in str(caught.value)
