"""What the drivers are told: encryption, names, options that nobody knows."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event, make_url, text

from fastforge.contrib.db import Database
from fastforge.contrib.db.engine import Application, make_engines, url_of
from fastforge.contrib.db.opening import open_database
from fastforge.contrib.db.pool import arguments
from fastforge.contrib.db.pool.arguments import ssl_mode
from fastforge.exceptions import ResourceUnavailable, SettingsError
from tests import services
from tests.conftest import with_driver

HERE = Path.cwd()


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql+asyncpg://u@db.example/n", "require"),
        ("postgresql+psycopg://u@10.1.2.3:5432/n", "require"),
        ("postgresql+psycopg://u@[2001:db8::1]/n", "require"),
        ("postgresql+asyncpg://u@localhost/n", None),
        ("postgresql+psycopg://u@127.0.0.1:6432/n", None),
        ("postgresql+asyncpg://u@[::1]:5432/n", None),
        ("postgresql+psycopg:///n", None),
        ("postgresql+psycopg:///n?host=/run/postgresql", None),
        ("postgresql+psycopg:///n?host=localhost:1&host=127.0.0.1:2", None),
        ("postgresql+psycopg:///n?host=localhost:1&host=other:2", "require"),
        ("postgresql+asyncpg://u@db.example/n?ssl=disable", "disable"),
        ("postgresql+asyncpg://u@db.example/n?sslmode=verify-full", "verify-full"),
        ("postgresql+psycopg://u@db.example/n?ssl=true", "require"),
        ("postgresql+psycopg://u@localhost/n?sslmode=prefer", "prefer"),
    ],
)
def test_what_leaves_this_host_is_encrypted_unless_somebody_says_otherwise(
    url: str, mode: str | None
) -> None:
    assert ssl_mode(Database(url=url)) == mode


@pytest.mark.parametrize(
    ("url", "environment", "mode"),
    [
        ("postgresql+asyncpg://u@db.example/n", {"PGSSLMODE": "verify-full"}, "verify-full"),
        ("postgresql+psycopg://u@db.example/n", {"PGSSLMODE": "disable"}, "require"),
        ("postgresql+psycopg://u@db.example/n?ssl=require", {"PGSSLMODE": "verify-ca"}, "require"),
        ("postgresql+asyncpg:///n", {"PGHOST": "db.example"}, "require"),
        ("postgresql+psycopg:///n", {"PGHOST": "/run/postgresql"}, None),
        ("postgresql+psycopg:///n?host=localhost", {"PGHOST": "db.example"}, None),
    ],
)
def test_the_environment_may_name_the_host_and_be_stricter(
    url: str, environment: dict[str, str], mode: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ssl_mode(Database(url=url)) == mode


def test_the_field_wins_over_the_url() -> None:
    config = Database(url="postgresql+asyncpg://u@db.example/n?ssl=require", ssl="disable")
    assert ssl_mode(config) == "disable"


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
@pytest.mark.parametrize("option", ["ssl", "sslmode"])
def test_the_url_may_use_the_words_of_the_other_driver(driver: str, option: str) -> None:
    config = Database(url=f"postgresql+{driver}://u@localhost/n?{option}=require&x=1")
    assert dict(url_of(config, HERE).query) == {"x": "1"}


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server that offers TLS, and the certificate that it has signed itself."""
    folder = tmp_path_factory.mktemp("tls")
    for name in ("stranger", "certificate"):
        make = [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-keyout", "key", "-out", name,
        ]  # fmt: skip
        subprocess.run(make, cwd=folder, check=True, capture_output=True)
    server = services.start("postgres")
    with psycopg.connect(server.url, autocommit=True) as admin:
        shown = admin.execute("SHOW data_directory").fetchone()
        assert shown is not None
        data = Path(shown[0])
        for name, setting in (("certificate", "ssl_cert_file"), ("key", "ssl_key_file")):
            file = Path(shutil.copy(folder / name, data))
            file.chmod(0o600)
            shutil.chown(file, data.stat().st_uid, data.stat().st_gid)
            admin.execute(f"ALTER SYSTEM SET {setting} = '{file}'")  # type: ignore[arg-type]
        admin.execute("ALTER SYSTEM SET ssl = on")
        admin.execute("SELECT pg_reload_conf()")
    yield server.url, folder / "certificate"
    server.close()


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_server_on_another_host_is_spoken_to_in_private(
    tls_server: tuple[str, Path], driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arguments, "LOCAL_HOSTS", ())
    address, certificate = tls_server
    config = Database(url=with_driver(address, driver))
    await is_private(config)
    verified = config.model_copy(update={"ssl": "verify-ca"})
    monkeypatch.setenv("PGSSLROOTCERT", str(certificate.with_name("stranger")))
    with pytest.raises(ResourceUnavailable, match=r"is not trusted; set PGSSLROOTCERT"):
        await is_private(verified)
    monkeypatch.setenv("PGSSLROOTCERT", str(certificate))
    await is_private(verified)


async def is_private(config: Database) -> None:
    connection = await open_database(config, root=HERE, environment="test")
    statement = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    assert await connection.session().scalar(statement) is True
    await connection.engine.dispose()


async def test_a_server_that_does_not_offer_tls_is_told_with_the_way_out(
    each_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arguments, "LOCAL_HOSTS", ())
    config = Database(url=each_postgres_url)
    with pytest.raises(ResourceUnavailable) as raised:
        await open_database(config, root=HERE, environment="test")
    assert "the server does not offer TLS" in str(raised.value)
    assert 'ssl="disable"' in str(raised.value)
    open_to_all = config.model_copy(update={"ssl": "disable"})
    connection = await open_database(open_to_all, root=HERE, environment="test")
    await connection.ping()
    await connection.engine.dispose()


@pytest.mark.parametrize("option", ["sslmod=require", "application_nam=x"])
async def test_an_option_that_no_driver_knows_is_named(postgres_url: str, option: str) -> None:
    config = Database(url=f"{postgres_url}?{option}")
    with pytest.raises(SettingsError, match=r"db\.E041.*'(sslmod|application_nam)' of the URL"):
        await open_database(config, root=HERE, environment="test")


async def test_the_server_knows_whose_connection_it_is(each_postgres_url: str) -> None:
    application = Application(project="shop", role="worker")
    engines = make_engines(Database(url=each_postgres_url), root=HERE, application=application)
    async with engines.engine.connect() as connection:
        name = await connection.scalar(text("SHOW application_name"))
    await engines.engine.dispose()
    assert name == f"shop:worker:{os.getpid()}"


async def test_a_long_name_keeps_its_process_and_the_urls_own_name_holds(
    postgres_psycopg_url: str,
) -> None:
    application = Application(project="s" * 80, role="web")
    for url, expected in (
        (postgres_psycopg_url, f"{'s' * (62 - len(str(os.getpid())))}:{os.getpid()}"),
        (f"{postgres_psycopg_url}?application_name=mine", "mine"),
    ):
        engines = make_engines(Database(url=url), root=HERE, application=application)
        async with engines.engine.connect() as connection:
            assert await connection.scalar(text("SHOW application_name")) == expected
        await engines.engine.dispose()


async def test_a_listener_of_the_users_gives_the_password_of_each_connection(
    each_postgres_url: str,
) -> None:
    """As for tokens of a cloud; it is there before any engine, since opening one connects."""
    right = make_url(each_postgres_url)
    stale = right.set(password="stale").render_as_string(hide_password=False)
    given: list[str] = []

    def give_token(_dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        given.append(options["user"])
        options["password"] = right.password

    event.listen(Engine, "do_connect", give_token)
    try:
        config = Database(url=stale)
        opened = await open_database(config, root=HERE, environment="test", project="shop")
        await opened.engine.dispose()
        name = await opened.session().scalar(text("SHOW application_name"))
        await opened.engine.dispose()
    finally:
        event.remove(Engine, "do_connect", give_token)
    assert name == f"shop:{os.getpid()}"
    assert len(given) == opened.engines.pool.gauges.connects == 2
