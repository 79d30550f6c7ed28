"""A URL that cannot work is told in one line, with the form that would."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastforge.contrib.db import Database
from fastforge.exceptions import ErrorGroup, SettingsError
from tests.folder import isolated


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://u:p@host/name",
        "postgresql+psycopg://u@host:5433/name?sslmode=require",
        "sqlite+aiosqlite:///db.sqlite3",
        "sqlite+aiosqlite:////srv/db.sqlite3",
    ],
)
def test_right_urls_are_taken(url: str) -> None:
    assert Database(url=url).url == url


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("db.sqlite3", "no database URL; write postgresql+asyncpg://"),
        ("", "no database URL"),
        ("postgresql://u:secret@host/name", "postgresql+asyncpg:// or postgresql+psycopg://"),
        ("postgres://u:secret@host/name", "postgresql+asyncpg:// or postgresql+psycopg://"),
        ("sqlite:///db.sqlite3", "begin it with sqlite+aiosqlite:///"),
        ("postgresql+asyncpgg://u:secret@host/name", "did you mean postgresql+asyncpg://?"),
        ("postgresql+psycopg2://u:secret@host/name", "did you mean postgresql+psycopg://?"),
        ("mysql+aiomysql://u:secret@host/name", "that fastforge knows; write postgresql+asyncpg"),
        ("postgresql+asyncpg://u:a@secret@host/name", "two @ before its host; in a user or"),
        ("postgresql+asyncpg://u:secret/b@host/name", "its port is no number up to 65535; in a"),
        ("postgresql+asyncpg://u:secret#b@host/name", "its port is no number up to 65535; in a"),
        ("postgresql+asyncpg://u:secret@host", "names no database"),
        ("postgresql+asyncpg://u:secret@host:port/name", "cannot be read"),
        ("sqlite+aiosqlite://db.sqlite3", "write sqlite+aiosqlite:///db.sqlite3"),
        ("sqlite+aiosqlite:///:memory:", "in memory is refused"),
        ("sqlite+aiosqlite://", "in memory is refused"),
        ("sqlite+aiosqlite:///file:x?mode=memory&uri=true", "in memory is refused"),
        ("sqlite+aiosqlite:///file::memory:?uri=true", "in memory is refused"),
        ("sqlite+aiosqlite:///file:?uri=true", "in memory is refused"),
        ("sqlite+aiosqlite:///file:a/x?uri=true", "not by a URI; write sqlite+aiosqlite:///a/x,"),
        ("sqlite+aiosqlite:///file:///a?mode=ro&uri=true", "write sqlite+aiosqlite:////a, and in"),
        ("sqlite+aiosqlite:///a?mode=ro&uri=true", "write sqlite+aiosqlite:///a, and in place of"),
        ("sqlite+aiosqlite:///a?mode=ro", "write sqlite+aiosqlite:///a, and in place of"),
    ],
)
def test_wrong_urls_are_refused_with_the_right_form(tmp_path: Path, url: str, message: str) -> None:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": f"""
                    from fastforge.contrib.db import Database

                    INSTALLED_APPS = ["fastforge.contrib.db"]
                    DATABASES = {{"default": Database(url={url!r})}}
                    """
            }
        )
        with pytest.raises(ErrorGroup) as raised:
            folder.load()
    text = str(raised.value)
    assert message in text
    assert "settings.py:4" in text
    assert "\n" not in text
    assert "secret" not in text


def test_a_wrong_url_that_several_databases_of_a_line_use_is_told_once(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": """
                    from fastforge.conf import env
                    from fastforge.contrib.db import Database

                    INSTALLED_APPS = ["fastforge.contrib.db"]
                    _URL = env("DATABASE_URL")
                    DATABASES = {name: Database(url=_URL) for name in ("default", "replica")}
                    """
            }
        )
        with pytest.raises(ErrorGroup) as raised:
            folder.load({"DATABASE_URL": "postgres://h/shop"})
    (error,) = raised.value.errors
    assert "settings.py:6: Database.url: the URL does not name its driver" in str(error)


def test_there_is_at_least_one_database(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": """
                    INSTALLED_APPS = ["fastforge.contrib.db"]
                    DATABASES = {}
                    """
            }
        )
        with pytest.raises(ErrorGroup) as raised:
            folder.load()
    assert all(isinstance(error, SettingsError) for error in raised.value.errors)
    assert "DATABASES" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_without_the_setting_there_is_a_file_in_the_projects_folder(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": 'INSTALLED_APPS = ["fastforge.contrib.db"]'})
        databases = folder.load().settings["DATABASES"]
    assert databases == {"default": Database(url="sqlite+aiosqlite:///db.sqlite3")}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ('url="sqlite+aiosqlite:///x", pooler="transaction"', "a SQLite file has no pooler"),
        (
            'url="postgresql+asyncpg://h/n", direct_url="postgresql+psycopg://h/n"',
            "begin both with postgresql+asyncpg://",
        ),
        ('url="postgresql+asyncpg://h/n", direct_url="nonsense"', "this is no database URL"),
        ('url="postgresql+asyncpg://h/n", pooler="session"', "Input should be 'transaction'"),
    ],
)
def test_what_does_not_fit_together_is_told_with_its_line(
    tmp_path: Path, options: str, message: str
) -> None:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": f"""
                    from fastforge.contrib.db import Database

                    INSTALLED_APPS = ["fastforge.contrib.db"]
                    DATABASES = {{"default": Database({options})}}
                    """
            }
        )
        with pytest.raises(ErrorGroup) as raised:
            folder.load()
    assert message in str(raised.value)
    assert "settings.py:4" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_way_past_a_pooler_is_another_address() -> None:
    direct_url = "postgresql+asyncpg://u:secret@server/n"
    config = Database(
        url="postgresql+asyncpg://u@pooler/n", pooler="transaction", direct_url=direct_url
    )
    assert config.direct == Database(url=direct_url)
    assert config.direct.direct == config.direct
    assert "secret" not in repr(config)


def test_a_password_is_not_shown() -> None:
    config = Database(url="postgresql+asyncpg://u:secret@host/name")
    assert "secret" not in repr(config)
    assert "host/name" in repr(config)


@pytest.mark.parametrize("field", ["pool_size", "max_overflow", "pool_timeout_s", "lock_timeout_s"])
def test_negative_numbers_are_refused(field: str) -> None:
    values = {"url": "sqlite+aiosqlite:///x.sqlite3", field: -1}
    with pytest.raises(SettingsError, match=field):
        Database(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["pool_timeout_s", "connect_timeout_s"])
def test_a_wait_of_no_time_is_refused(field: str) -> None:
    """It would fail at once, where 0 means no limit elsewhere."""
    values = {"url": "sqlite+aiosqlite:///x.sqlite3", field: 0}
    with pytest.raises(SettingsError, match=field):
        Database(**values)  # type: ignore[arg-type]
