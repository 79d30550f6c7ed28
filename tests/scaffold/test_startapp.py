"""startapp leaves a project that works: checked by every tool, its tests green, its server up."""

from __future__ import annotations

import json
import re
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from fastforge.scaffold.fields import TYPES
from tests.commanding import python
from tests.processes import ROOT, fetch, free_port, run, start, wait_until

REQUIRED = [f"a_{name}:{name}" for name in TYPES]
NULLABLE = [f"or_{name}:{name}:null" for name in TYPES]
FIELDS = ["title:str:unique", "slug:str:unique:index:null", *REQUIRED, *NULLABLE]


def manage(project: Path, *arguments: str, code: int = 0) -> CompletedProcess[str]:
    result = python(["manage.py", *arguments], cwd=project)
    assert result.returncode == code, result.stdout + result.stderr
    return result


def pytest_(project: Path, *arguments: str) -> CompletedProcess[str]:
    """Run the project's own tests, whose `pyproject.toml` asks for anyio's plugin alone."""
    command = ["-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    return python([*command, "-p", "no:asyncio", *arguments], cwd=project, deadline_s=300)


def contents(folder: Path) -> Mapping[str, bytes]:
    """The files of a project, without what running it leaves behind."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project without apps, in a folder that is no plain word."""
    folder = tmp_path_factory.mktemp("ein schöner Ort")
    result = python(["-m", "fastforge", "startproject", "shop"], cwd=folder)
    assert result.returncode == 0, result.stderr
    return folder / "shop"


@pytest.fixture(scope="module")
def full(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with all that startapp can add."""
    folder = shutil.copytree(empty, tmp_path_factory.mktemp("full") / "shop")
    manage(folder, "startapp", "notes")
    manage(folder, "startapp", "blog", "--resource", "post", *FIELDS)
    manage(folder, "startapp", "shop.notes", "--resource", "Comment", "text:str", "at:datetime")
    return folder


@pytest.fixture
def shop(empty: Path, tmp_path: Path) -> Path:
    """A copy of the empty project."""
    return shutil.copytree(empty, tmp_path / "shop")


# --- what it leaves ------------------------------------------------------------------------------


def test_an_app_is_written_and_installed(shop: Path) -> None:
    before = contents(shop)
    result = manage(shop, "startapp", "notes")
    assert result.stderr == ""
    assert result.stdout.splitlines() == [
        "wrote shop/notes/__init__.py",
        "wrote shop/notes/migrations/0001_initial.py",
        "wrote shop/notes/migrations/__init__.py",
        "wrote shop/notes/models.py",
        "wrote shop/notes/routes.py",
        "wrote shop/notes/tasks.py",
        "wrote tests/test_notes.py",
        "edited shop/settings.py",
        "",
        "Next:",
        "  python manage.py migrate",
        "  python -m pytest tests/test_notes.py",
    ]
    assert {name for name, text in before.items() if contents(shop)[name] != text} == {
        "shop/settings.py"
    }
    assert '    App("shop.notes", prefix="/notes"),\n]' in (shop / "shop/settings.py").read_text()


@pytest.mark.parametrize(
    "tool",
    [
        "ruff check --no-cache",
        "ruff format --check --no-cache",
        pytest.param(f"mypy --cache-dir={ROOT / '.mypy_cache' / 'startapp'}", id="mypy"),
        pytest.param(f"pyright --pythonpath {sys.executable}", marks=pytest.mark.long),
    ],
)
def test_type_checkers_and_linters_have_nothing_to_say(tool: str, full: Path) -> None:
    result = run([sys.executable, "-m", *tool.split(), "."], cwd=full, deadline_s=300)
    assert result.returncode == 0, result.stdout + result.stderr


def test_its_tests_pass_without_a_warning(full: Path) -> None:
    result = pytest_(full)
    assert result.returncode == 0, result.stdout + result.stderr
    for name in ("test_notes.py", "test_blog.py", "test_notes_comments.py"):
        assert (full / "tests" / name).read_text().count("async def test_") >= 5


def test_its_migrations_are_what_makemigrations_would_write(full: Path, tmp_path: Path) -> None:
    shop = shutil.copytree(full, tmp_path / "copy")
    assert "No changes" in manage(shop, "makemigrations", "--check").stdout
    assert "no problems" in manage(shop, "check").stdout
    for name in ("blog/migrations/0001_initial.py", "notes/migrations/0002_create_comment.py"):
        migration = shop / "shop" / name
        text = migration.read_text()
        migration.unlink()
        manage(shop, "makemigrations")
        assert migration.read_text() == text


@pytest.fixture
def address(full: Path, tmp_path: Path) -> Iterator[str]:
    """The address of the project's real server, on a database of its own."""
    shop = shutil.copytree(full, tmp_path / "served")
    manage(shop, "migrate")
    port = free_port()
    with start([sys.executable, "manage.py", "runserver", str(port)], cwd=shop) as process:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: process.alive and fetch(f"{address}/notes"), describe=process)
        yield address


def send(method: str, url: str, body: object = None) -> tuple[int, Any]:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"content-type": "application/json"}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_its_routes_answer_over_a_socket(address: str) -> None:
    status, note = send("POST", f"{address}/notes", {"text": "three short words"})
    assert (status, note["text"]) == (201, "three short words")
    # Beside the routes of the app's own, which must not take `comments` for a number.
    comments = f"{address}/notes/comments"
    sent = {"text": "first", "at": "2026-01-01T12:00:00+02:00"}
    assert send("POST", comments, sent)[0] == 201
    status, page = send("GET", comments)
    assert status == 200
    assert [(each["text"], each["at"]) for each in page["items"]] == [
        ("first", "2026-01-01T10:00:00Z")
    ]
    assert (page["offset"], page["has_next"]) == (0, False)
    assert send("PATCH", f"{comments}/1", {"text": "second"})[1]["text"] == "second"
    assert send("POST", comments, sent | {"at": "2026-01-01T12:00:00"})[0] == 422
    assert send("GET", f"{comments}/99999999999999999999")[0] == 404
    assert send("GET", f"{comments}?offset=99999999999999999999")[0] == 422
    assert send("DELETE", f"{comments}/1")[0] == 204
    assert send("GET", f"{comments}/1")[0] == 404


# --- shown and not written -----------------------------------------------------------------------


def test_a_dry_run_names_everything_and_writes_nothing(shop: Path) -> None:
    before = contents(shop)
    lines = manage(shop, "startapp", "notes", "--dry-run").stdout.splitlines()
    assert "would write shop/notes/migrations/0001_initial.py" in lines
    assert lines[-1] == "would edit shop/settings.py"
    assert len(lines) == 8
    assert contents(shop) == before


def test_a_diff_is_everything_and_can_be_applied(shop: Path, tmp_path: Path) -> None:
    before = contents(shop)
    arguments = ("startapp", "blog", "--resource", "post", "title:str", "body:text")
    diff = manage(shop, *arguments, "--diff").stdout
    assert contents(shop) == before
    other = shutil.copytree(shop, tmp_path / "other")
    manage(shop, *arguments)
    (tmp_path / "diff").write_text(diff)
    result = run(["git", "apply", str(tmp_path / "diff")], cwd=other)
    assert result.returncode == 0, result.stderr
    assert contents(other) == contents(shop)


# --- other projects ------------------------------------------------------------------------------


def test_without_jobs_there_is_no_task(shop: Path) -> None:
    settings = shop / "shop" / "settings.py"
    settings.write_text(settings.read_text().replace('    "fastforge.contrib.jobs",\n', ""))
    assert "tasks.py" not in manage(shop, "startapp", "notes").stdout
    result = pytest_(shop, "tests/test_notes.py")
    assert "5 passed" in result.stdout, result.stdout + result.stderr


def test_without_a_database_there_is_a_route(shop: Path) -> None:
    settings = shop / "shop" / "settings.py"
    text = re.sub(r'    "fastforge\.contrib\.\w+",\n', "", settings.read_text())
    settings.write_text(re.sub(r"(?s)# A file beside.*|from fastforge.contrib.db.*?\n", "", text))
    result = manage(shop, "startapp", "blog", "--resource", "post", "title:str", code=2)
    assert result.stderr == (
        "error: [scaffold.E013] a resource is kept in a database, and none is installed;"
        ' put "fastforge.contrib.db" into INSTALLED_APPS, or leave --resource out\n'
    )
    assert manage(shop, "startapp", "line_items").stdout.splitlines() == [
        "wrote shop/line_items/__init__.py",
        "wrote shop/line_items/routes.py",
        "wrote tests/test_line_items.py",
        "edited shop/settings.py",
        "",
        "Next:",
        "  python -m pytest tests/test_line_items.py",
    ]
    result = pytest_(shop, "tests/test_line_items.py")
    assert "1 passed" in result.stdout, result.stdout + result.stderr


def test_a_computed_list_is_left_alone_and_the_entry_is_said(shop: Path) -> None:
    settings = shop / "shop" / "settings.py"
    text = settings.read_text().replace("INSTALLED_APPS =", "_OURS =")
    settings.write_text(f"{text}INSTALLED_APPS = list(_OURS)\n")
    before = settings.read_bytes()
    line = before.count(b"\n")
    result = manage(shop, "startapp", "notes")
    assert settings.read_bytes() == before
    assert (
        "\nINSTALLED_APPS is not written out as a list."
        f" Add to it by hand, at shop/settings.py:{line}:\n"
        '  App("shop.notes", prefix="/notes"),\n'
        "and to the imports:\n"
        "  from fastforge.conf import App\n"
    ) in result.stdout
    assert "wrote shop/notes/migrations/0001_initial.py" in result.stdout
    with settings.open("a") as file:
        file.write("from fastforge.conf import App\n")
        file.write('INSTALLED_APPS += [App("shop.notes", prefix="/notes")]\n')
    assert "No changes" in manage(shop, "makemigrations", "--check").stdout


def test_settings_in_several_files_are_edited_where_the_list_is(shop: Path) -> None:
    package = shop / "shop" / "settings"
    package.mkdir()
    (shop / "shop" / "settings.py").rename(package / "base.py")
    text = (package / "base.py").read_text().replace(".parent.parent", ".parent.parent.parent")
    (package / "base.py").write_text(text)
    (package / "__init__.py").write_text("from .base import *\n")
    result = manage(shop, "startapp", "notes")
    assert "edited shop/settings/base.py" in result.stdout
    assert "No changes" in manage(shop, "makemigrations", "--check").stdout
