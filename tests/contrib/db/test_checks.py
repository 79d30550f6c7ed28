"""What `manage check` finds in DATABASES without a connection."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from fastforge.checks import run_checks
from fastforge.contrib.db.internals import forget_class
from fastforge.contrib.db.migrations import folders as migration_folders
from tests.folder import ProjectFolder, isolated


def found(path: Path, database: str, *, deploy: bool = False) -> list[str]:
    with isolated(path) as folder:
        folder.write(
            {
                "shop/settings.py": f"""
                    from fastforge.contrib.db import Database

                    INSTALLED_APPS = ["fastforge.contrib.db"]
                    DATABASES = {{"default": Database({database})}}
                    """
            }
        )
        messages = run_checks(folder.load(), deploy=deploy)
        return [str(message) for message in messages if message.id.startswith("db.")]


def test_nothing_is_wrong_with_the_defaults(tmp_path: Path) -> None:
    assert found(tmp_path, 'url="postgresql+asyncpg://u@h/n"', deploy=True) == []


def test_a_sqlite_file_is_noted_before_a_deploy_alone(tmp_path: Path) -> None:
    database = 'url="sqlite+aiosqlite:///x.sqlite3"'
    assert found(tmp_path, database) == []


def test_a_sqlite_file_is_noted_before_a_deploy(tmp_path: Path) -> None:
    (message,) = found(tmp_path, 'url="sqlite+aiosqlite:///x.sqlite3"', deploy=True)
    assert "db.W001" in message
    assert "settings.py:4" in message


def test_a_statement_without_limit_is_noted_before_a_deploy(tmp_path: Path) -> None:
    database = 'url="postgresql+asyncpg://u@h/n", statement_timeout_s=0'
    (message,) = found(tmp_path, database, deploy=True)
    assert "db.W002" in message


def test_a_statement_that_may_outlast_its_request_is_noted_with_the_sum(tmp_path: Path) -> None:
    database = 'url="postgresql+asyncpg://u@h/n", statement_timeout_s=60'
    (message,) = found(tmp_path, database, deploy=True)
    assert "db.W004" in message
    assert "default: one statement may take 5 pool_timeout_s + 60 statement_timeout_s = 65 s" in (
        message
    )
    assert "504 after 30 (SERVER.request_timeout_s)" in message


THREADED = {
    "shop/settings.py": """
        from fastforge.contrib.db import Database

        INSTALLED_APPS = ["fastforge.contrib.db", "shop.orders"]
        DATABASES = {"default": Database(url="postgresql+asyncpg://u@h/n", max_overflow=1)}
        """,
    "shop/orders/routes.py": """
        from typing import Annotated

        from fastapi import APIRouter, Depends

        from fastforge.contrib.db import DbSession, non_atomic

        router = APIRouter(prefix="/orders")

        async def user(db: DbSession) -> int:
            return 7

        User = Annotated[int, Depends(user)]

        @router.post("/held")
        def held(user: User) -> None: ...

        @router.get("/read")
        def read(user: User) -> None: ...

        @router.post("/free")
        @non_atomic
        def free(user: User) -> None: ...

        @router.post("/awaited")
        async def awaited(user: User) -> None: ...

        @router.post("/without")
        def without() -> None: ...
        """,
}


def test_plain_handlers_that_hold_a_connection_each_are_summed_against_the_pool(
    tmp_path: Path,
) -> None:
    with isolated(tmp_path) as folder:
        folder.write(THREADED)
        project = folder.load()
        (message,) = [each for each in run_checks(project, deploy=True) if each.id == "db.W005"]
        fewer = project.overriding(settings={"SERVER": {"threads": 6}})
        assert not [each for each in run_checks(fewer, deploy=True) if each.id == "db.W005"]
    assert message.text == (
        "POST /orders/held is a plain def that may hold a connection: 40 run at the same time"
        " (SERVER.threads), and default has pool_size 5 + max_overflow 1 = 6 connections"
    )
    assert str(message.where).endswith("routes.py:14")


@pytest.mark.parametrize(
    ("url", "package", "cure"),
    [
        ("postgresql+asyncpg://u:secret@h/n", "asyncpg", '"fastforge-framework[postgres]"'),
        ("postgresql+psycopg://u:secret@h/n", "psycopg", '"fastforge-framework[postgres]"'),
        ("sqlite+aiosqlite:///x", "aiosqlite", "--force-reinstall fastforge-framework"),
    ],
)
def test_a_driver_that_is_not_installed_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, package: str, cure: str
) -> None:
    real = importlib.util.find_spec

    def without(name: str, *arguments: Any) -> Any:
        return None if name == package else real(name, *arguments)

    monkeypatch.setattr("fastforge.contrib.db.checks.databases.find_spec", without)
    (message,) = found(tmp_path, f"url={url!r}")
    assert "db.E023" in message
    assert f"pip install {cure}" in message
    assert "secret" not in message


NAMING = {
    "shop/settings.py": """
        from fastforge.conf import App
        from fastforge.contrib.db import Database

        INSTALLED_APPS = ["fastforge.contrib.db", App("shop.orders", prefix="/api")]
        _URL = "sqlite+aiosqlite:///x.sqlite3"
        DATABASES = {"default": Database(url=_URL), "replica": Database(url=_URL)}
        """,
    "shop/orders/routes.py": """
        from typing import Annotated

        from fastapi import APIRouter, Depends, WebSocket

        from fastforge.contrib.db import DbSession, Session, using

        router = APIRouter(prefix="/orders")
        inner = APIRouter(prefix="/inner")
        Replica = Annotated[Session, using("replica")]
        Mistyped = Annotated[Session, using("replca")]

        async def through(db: Mistyped): ...

        @router.get("/right")
        async def right(db: DbSession, other: Replica): ...

        @inner.post("/wrong")
        async def wrong(one: Annotated[None, Depends(through)], other: Mistyped): ...

        @router.websocket("/socket")
        async def socket(websocket: WebSocket, db: Annotated[Session, using("blue")]): ...

        router.include_router(inner)
        """,
    "shop/orders/tasks.py": """
        from fastforge import injected, task
        from shop.orders.routes import Mistyped

        @task
        async def bill(order_id: int, *, db: Mistyped = injected) -> None: ...
        """,
}


def test_a_database_that_is_not_there_is_named_with_who_asks_for_it(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write(NAMING)
        messages = [each for each in run_checks(folder.load()) if each.id == "db.E076"]
        place = tmp_path / "shop/orders"
        lacks = "which DATABASES does not have"
        assert [f"{each.where} {each.text}; {each.hint}" for each in messages] == [
            f"{place}/routes.py:17 POST /api/orders/inner/wrong asks for the database 'replca',"
            f" {lacks}; did you mean 'replica'?",
            f"{place}/routes.py:20 WEBSOCKET /api/orders/socket asks for the database 'blue',"
            f" {lacks}; it has 'default', 'replica'",
            f"{place}/tasks.py:4 the task shop.orders.tasks.bill asks for the database 'replca',"
            f" {lacks}; did you mean 'replica'?",
        ]


# --- models and migrations -----------------------------------------------------------------------

SETTINGS = """
    from fastforge.contrib.db import Database

    INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs", "shop.checked"]
    DATABASES = {"default": Database(url="postgresql+asyncpg://nobody@127.0.0.1:1/nothing")}
    """
MODELS = """
    from sqlalchemy.orm import Mapped, mapped_column

    from fastforge.contrib.db import Model

    class Sheet(Model):
        id: Mapped[int] = mapped_column(primary_key=True)
    """
MIGRATION = """
    import sqlalchemy as sa

    revision = "checked.0001_initial"
    down_revision = None
    depends_on = None

    def upgrade(op):
        op.create_table(
            "checked_sheet",
            sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_checked_sheet")),
        )
    """


@pytest.fixture
def checked(tmp_path: Path) -> Iterator[ProjectFolder]:
    """A project with an app of one model and the migration that makes its table."""
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": SETTINGS,
                "shop/checked/models.py": MODELS,
                "shop/checked/migrations/0001_initial.py": MIGRATION,
            }
        )
        yield folder


def messages(folder: ProjectFolder) -> list[str]:
    return [str(message) for message in run_checks(folder.load())]


def test_models_that_have_their_migrations_are_no_message(checked: ProjectFolder) -> None:
    assert messages(checked) == []


def test_models_without_their_migration_are_a_warning(checked: ProjectFolder) -> None:
    (checked.path / "shop/checked/migrations/0001_initial.py").unlink()
    (message,) = messages(checked)
    assert message.startswith("warning [db.W003] ")
    assert message.endswith(
        "shop/checked/models.py:5: the models of 'checked' differ from its migrations;"
        " run: manage makemigrations"
    )


def test_an_app_that_was_installed_is_not_compared(
    checked: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checked.path / "shop/checked/migrations/0001_initial.py").unlink()
    monkeypatch.setattr(migration_folders, "_is_installed", lambda path: True)
    assert messages(checked) == []


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("migrations/0001_initial.py", "nonsense", "0001_initial.py:1: {}[db.E101] the migration"),
        ("migrations/0001_initial.py", MIGRATION.replace("Integer", "I"), "0001_initial.py:"),
        ("models.py", MODELS + "    other: Mapped[int]\n", "models.py:5: {}[db.E1"),
    ],
    ids=["a file that does not load", "one that cannot be replayed", "a change to be decided"],
)
def test_what_cannot_be_compared_is_a_message_of_its_own(
    checked: ProjectFolder, file: str, text: str, told: str
) -> None:
    checked.write({f"shop/checked/{file}": text})
    (message,) = messages(checked)
    assert message.startswith("error [db.E025] ")
    assert told.format("the models cannot be compared with their migrations: ") in message


def test_models_that_do_not_fit_together_are_a_message(checked: ProjectFolder) -> None:
    broken = """
        other: Mapped["Nowhere"] = relationship()
    """
    text = MODELS.replace("import Mapped,", "import Mapped, relationship,") + broken
    checked.write({"shop/checked/models.py": text})
    try:
        (message,) = messages(checked)
    finally:  # or every later test of this process meets the broken mapper
        forget_class(inspect(sys.modules["shop.checked.models"].Sheet))
    assert message.startswith("error [db.E025] ")
    assert "Nowhere" in message
