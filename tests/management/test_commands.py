"""`check`, `inspect`, `routes` and `settings`, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.folder import ProjectFolder

from .conftest import PYPROJECT, Shell

CHECKS = """
    from fastforge.checks import Level, Message, check
    from fastforge.exceptions import Location

    @check
    def paper(project):
        yield Message(id="notes.I001", level=Level.INFO, text="plain paper")
        yield Message(
            id="notes.W001", level=Level.WARNING, text="thin paper", hint="buy thicker",
            where=Location(__file__, 7),
        )

    @check(deploy=True)
    def ink(project):
        yield Message(id="notes.E001", level=Level.ERROR, text="no ink")
    """

TASKS = '''
    from fastforge import task

    @task(queue="slow")
    async def count(words: str) -> None:
        """Count the words."""
    '''

ROUTES = """
    from fastapi import APIRouter, WebSocket

    router = APIRouter(prefix="/notes")

    @router.get("/{note_id}")
    async def show(note_id: int) -> int:
        return note_id

    @router.websocket("/live")
    async def live(socket: WebSocket) -> None: ...
    """

SETTINGS = """
    from fastforge.conf import App, env
    from fastforge.contrib.http import Http

    SECRET_KEY = env.secret("SECRET_KEY", default="")
    INSTALLED_APPS = [App("shop.notes", prefix="/api"), "fastforge.contrib.http"]
    HTTP = Http(timeout_s=env("TIMEOUT_S", float, default=3.0, help="Of a call"))
    """


# --- check ---------------------------------------------------------------------------------------


def test_check_finds_nothing_in_a_new_project(shop: ProjectFolder, manage: Shell) -> None:
    result = manage("check")
    assert (result.code, result.out, result.err) == (0, "no problems\n", "")


def test_check_writes_a_line_for_each_message_the_worst_first(
    shop: ProjectFolder, manage: Shell
) -> None:
    shop.write({"shop/notes/checks.py": CHECKS})
    result = manage("check")
    assert result.out == (
        "warning [notes.W001] shop/notes/checks.py:7: thin paper; buy thicker\n"
        "info [notes.I001] plain paper\n"
        "1 warning, 1 info\n"
    )
    assert result.code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 0),
        (["--fail-level", "warning"], 1),
        (["--fail-level", "info"], 1),
        (["--deploy"], 1),
        (["--deploy", "--fail-level", "error"], 1),
    ],
)
def test_the_level_that_fails_can_be_chosen(
    arguments: list[str], code: int, shop: ProjectFolder, manage: Shell
) -> None:
    shop.write({"shop/notes/checks.py": CHECKS})
    assert manage("check", *arguments).code == code


def test_check_as_json(shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/notes/checks.py": CHECKS})
    result = manage("check", "--json", "--fail-level", "warning")
    assert result.code == 1
    assert json.loads(result.out)["messages"][0] == {
        "id": "notes.W001",
        "level": "warning",
        "text": "thin paper",
        "hint": "buy thicker",
        "where": "shop/notes/checks.py:7",
        "tags": [],
    }


# --- inspect -------------------------------------------------------------------------------------


def test_inspect_names_every_component_with_its_place(shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/notes/routes.py": ROUTES, "shop/notes/commands/go.py": '"""Go."""'})
    result = manage("inspect", "routers")
    assert [line.split() for line in result.out.splitlines()] == [
        ["KIND", "NAME", "APP", "WHERE"],
        ["routers", "notes.router", "notes", "shop/notes/routes.py:3"],
    ]
    everything = manage("inspect").out
    assert "routers " in everything
    assert "shop/notes/__init__.py:1" in everything
    assert "shop/notes/commands/go.py:1" in everything


@pytest.mark.parametrize("kind", ["apps", "commands", "settings", "kinds", "checks", "tasks"])
def test_inspect_as_json(kind: str, shop: ProjectFolder, manage: Shell) -> None:
    rows = json.loads(manage("inspect", kind, "--json").out)
    assert {row["kind"] for row in rows} <= {kind}
    assert all(set(row) == {"kind", "name", "app", "where"} for row in rows)
    assert bool(rows) is (kind != "tasks")


def test_inspect_settings_says_whose_they_are_and_where_they_stand(
    shop: ProjectFolder, manage: Shell
) -> None:
    shop.write({"shop/settings.py": SETTINGS})
    rows = {row["name"]: row for row in json.loads(manage("inspect", "settings", "--json").out)}
    assert (rows["HTTP"]["app"], rows["HTTP"]["where"]) == ("http", "shop/settings.py:6")
    assert (rows["DEBUG"]["app"], rows["DEBUG"]["where"]) == ("fastforge", "default")


@pytest.mark.parametrize("name", ["shop.notes.tasks.count", "count"])
def test_inspect_shows_one_thing_with_its_fields(
    name: str, shop: ProjectFolder, manage: Shell
) -> None:
    shop.write({"shop/notes/tasks.py": TASKS})
    shown = json.loads(manage("inspect", "tasks", name, "--json").out)
    assert shown["where"] == "shop/notes/tasks.py:3"
    assert shown["fields"]["queue"] == "slow"
    assert shown["fields"]["function"] == "shop.notes.tasks.count"
    lines = [line.split(maxsplit=1) for line in manage("inspect", "tasks", name).out.splitlines()]
    assert ["retry.max_attempts", "7"] in lines or ["queue", "slow"] in lines
    assert ["help", "Count the words."] in lines


def test_inspect_shows_one_of_every_kind(shop: ProjectFolder, manage: Shell) -> None:
    """Whatever an app declares has fields, and all that is printed is JSON."""
    shop.write({"shop/notes/tasks.py": TASKS, "shop/notes/routes.py": ROUTES})
    seen = set()
    for row in json.loads(manage("inspect", "--json").out):
        if row["kind"] not in seen:
            seen.add(row["kind"])
            result = manage("inspect", row["kind"], row["name"], "--json")
            assert result.err == ""
            assert json.loads(result.out)["fields"], row
    assert {"apps", "commands", "settings", "kinds", "routers", "tasks"} <= seen


def test_inspect_shows_no_secret(
    shop: ProjectFolder, manage: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "correct horse battery staple")
    shop.write({"shop/settings.py": SETTINGS})
    result = manage("inspect", "settings", "SECRET_KEY")
    assert ["value", "***"] in [line.split() for line in result.out.splitlines()]


def test_inspect_names_the_class_of_an_app(shop: ProjectFolder, manage: Shell) -> None:
    shop.write(
        {
            "shop/notes/apps.py": """
                from fastforge.apps import AppConfig


                class NotesConfig(AppConfig):
                    label = "papers"
                """
        }
    )
    rows = {row["name"]: row for row in json.loads(manage("inspect", "apps", "--json").out)}
    assert rows["shop.notes"]["where"] == "shop/notes/apps.py:4"


# --- routes --------------------------------------------------------------------------------------


def test_routes_have_their_functions_and_places(shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/settings.py": SETTINGS, "shop/notes/routes.py": ROUTES})
    rows = {row["path"]: row for row in json.loads(manage("routes", "--json").out)}
    assert rows["/api/notes/{note_id}"] == {
        "method": "GET",
        "path": "/api/notes/{note_id}",
        "name": "show",
        "app": "notes",
        "endpoint": "shop.notes.routes.show",
        "where": "shop/notes/routes.py:5",
    }
    assert rows["/api/notes/live"]["method"] == "WEBSOCKET"
    line = next(line for line in manage("routes").out.splitlines() if "note_id" in line)
    assert line.split() == list(rows["/api/notes/{note_id}"].values())


def test_routes_show_what_is_mounted(shop: ProjectFolder, manage: Shell) -> None:
    """The application is built as a server builds it, and not started."""
    shop.write(
        {
            "shop/notes/routes.py": ROUTES,
            "shop/notes/resources.py": """
                from collections.abc import AsyncIterator
                from fastforge import resource

                @resource
                async def desk() -> AsyncIterator[None]:
                    raise RuntimeError("opened")
                    yield
                """,
        }
    )
    result = manage("routes")
    assert (result.code, result.err) == (0, "")
    assert "/notes/{note_id}" in result.out


def test_routes_begin_with_what_is_answered_before_any_of_them(
    shop: ProjectFolder, manage: Shell
) -> None:
    shop.write(
        {
            "shop/settings.py": """
                from fastforge.web import Health

                HEALTH = Health(startup_path="", live_path="/alive", ready_path="")
                """,
            "shop/asgi.py": """
                from fastapi import FastAPI
                from fastforge.asgi import get_asgi_application

                app = get_asgi_application()
                plain = FastAPI()
                """,
        }
    )
    first = json.loads(manage("routes", "--json").out)[0]
    assert (first["method"], first["path"], first["app"]) == ("GET,HEAD", "/alive", "fastforge")
    shop.write({"pyproject.toml": f'{PYPROJECT}[tool.fastapi]\nentrypoint = "shop.asgi:plain"\n'})
    assert "/alive" not in manage("routes").out


def test_routes_are_those_of_the_project_s_own_module(shop: ProjectFolder, manage: Shell) -> None:
    shop.write(
        {
            "shop/asgi.py": """
                from fastforge.asgi import get_asgi_application

                app = get_asgi_application()

                @app.get("/own")
                def own() -> int:
                    return 1
                """
        }
    )
    rows = {row["path"]: row for row in json.loads(manage("routes", "--json").out)}
    assert (rows["/own"]["app"], rows["/own"]["where"]) == ("", "shop/asgi.py:5")
    assert rows["/docs"]["app"] == ""


# --- settings ------------------------------------------------------------------------------------


def test_settings_show_values_sources_and_variables_without_secrets(
    shop: ProjectFolder, manage: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write({"shop/settings.py": SETTINGS})
    monkeypatch.setenv("SECRET_KEY", "correct horse battery staple")
    monkeypatch.setenv("TIMEOUT_S", "7")
    for form in ([], ["--json"], ["--env-example"]):
        result = manage("settings", *form)
        assert result.code == 0
        assert "correct horse" not in result.out
    rows = [line.split() for line in manage("settings").out.splitlines()]
    assert ["HTTP.timeout_s", "7.0", "shop/settings.py:6", "TIMEOUT_S", "(environment)"] in rows
    assert ["DEBUG", "false", "default"] in rows


def test_a_variable_stands_with_the_field_that_it_feeds(shop: ProjectFolder, manage: Shell) -> None:
    """Also one that reaches it by another name, or through a function."""
    shop.write(
        {
            "shop/settings.py": """
                from fastforge.conf import env
                from fastforge.contrib.db import Database

                _HOST = env("DB_HOST", default="db")
                ALLOWED_HOSTS = [_HOST, *env("HOSTS", list[str], default=[])]
                INSTALLED_APPS = ["fastforge.contrib.db"]
                DATABASES = {"default": Database(
                    url="postgresql+asyncpg://{}/shop".format(_HOST),
                    pool_size=int(env("POOL", default="3")), max_overflow=None)}
                """
        }
    )
    rows = {row["name"]: row for row in json.loads(manage("settings", "--json").out)}
    fields = {name: found for name, found in rows["DATABASES"]["fields"].items() if found}
    assert fields == {
        "default.url": ["DB_HOST (default)"],
        "default.pool_size": ["POOL (default)"],
    }
    assert rows["DATABASES"]["variables"] == ["DB_HOST (default)", "POOL (default)"]
    assert rows["ALLOWED_HOSTS"]["variables"] == ["DB_HOST (default)", "HOSTS (default)"]
    lines = [line.split() for line in manage("settings").out.splitlines()]
    assert ["DATABASES.default.pool_size", "3", "shop/settings.py:7", "POOL", "(default)"] in lines
    assert ["DATABASES.default.pool_timeout_s", "5", "shop/settings.py:7"] in lines


def test_a_default_that_depends_on_the_environment_is_shown_as_it_holds(
    shop: ProjectFolder, manage: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write({"shop/settings.py": 'INSTALLED_APPS = ["fastforge.contrib.db"]'})

    def shown() -> tuple[object, object]:
        rows = {row["name"]: row["value"] for row in json.loads(manage("settings", "--json").out)}
        overflow = rows["DATABASES"]["default"]["max_overflow"]
        return overflow, rows["SERVER"]["start_deadline_s"]

    monkeypatch.setenv("FASTFORGE_ENV", "development")
    assert shown() == (5, 0)
    monkeypatch.setenv("FASTFORGE_ENV", "production")
    assert shown() == (0, 30)


def test_settings_as_json_keep_their_shape(shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/settings.py": SETTINGS})
    rows = {row["name"]: row for row in json.loads(manage("settings", "--json").out)}
    assert rows["HTTP"]["value"]["timeout_s"] == 3.0
    assert rows["HTTP"]["variables"] == ["TIMEOUT_S (default)"]


def test_the_sample_of_the_environment_has_every_variable(
    shop: ProjectFolder, manage: Shell, nowhere: Path
) -> None:
    shop.write({"shop/settings.py": SETTINGS})
    text = manage("settings", "--env-example").out
    assert "# SECRET_KEY=\n" in text
    assert "# Of a call. optional, float\n# TIMEOUT_S=3.0\n" in text
