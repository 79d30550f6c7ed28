"""A new project works as it was written: its tables, its server, its worker, its own tests."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import Process, fetch, free_port, run, start, wait_until

FILES = """
.env .env.example .gitignore README.md manage.py pyproject.toml
shop/__init__.py shop/asgi.py shop/settings.py
shop/notes/__init__.py shop/notes/models.py shop/notes/routes.py shop/notes/tasks.py
shop/notes/migrations/__init__.py shop/notes/migrations/0001_initial.py
tests/test_notes.py
"""


def fastforge(folder: Path, *arguments: str) -> Any:
    return run([sys.executable, "-m", "fastforge", *arguments], cwd=folder)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project, as `startproject` leaves it."""
    folder = tmp_path_factory.mktemp("new")
    result = fastforge(folder, "startproject", "shop")
    assert result.returncode == 0, result.stderr
    assert "python manage.py migrate" in result.stdout
    return folder / "shop"


@pytest.fixture
def shop(written: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(written, tmp_path / "copy")


def manage(shop: Path, *arguments: str) -> str:
    result = run([sys.executable, "manage.py", *arguments], cwd=shop)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout + result.stderr
    return result.stdout


@pytest.fixture
def server(shop: Path) -> Iterator[tuple[Process, str]]:
    manage(shop, "migrate")
    port = free_port()
    with start([sys.executable, "manage.py", "runserver", str(port)], cwd=shop) as process:
        address = f"http://127.0.0.1:{port}/notes"
        wait_until(lambda: process.alive and fetch(address), describe=process)
        yield process, address


def test_it_has_these_files(written: Path) -> None:
    found = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()}
    assert found == set(FILES.split())


def test_its_secret_is_fresh_and_for_its_owner_alone(written: Path, tmp_path: Path) -> None:
    fastforge(tmp_path, "startproject", "shop")
    texts = {(folder / ".env").read_text() for folder in (written, tmp_path / "shop")}
    assert len(texts) == 2
    assert all(re.search(r"^SECRET_KEY=\S{64}$", text, re.MULTILINE) for text in texts)
    assert all(text.count("FASTFORGE_ENV=development\n") == 1 for text in texts)
    assert stat.S_IMODE((written / ".env").stat().st_mode) == 0o600
    assert ".env\n" in (written / ".gitignore").read_text()
    assert os.access(written / "manage.py", os.X_OK)


def test_its_pyproject_is_read_by_the_tools(written: Path) -> None:
    text = (written / "pyproject.toml").read_text()
    content = tomllib.loads(text)
    assert content["tool"]["fastforge"] == {"settings": "shop.settings"}
    assert content["tool"]["fastapi"] == {"entrypoint": "shop.asgi:app"}
    assert content["project"]["dependencies"] == ["fastforge-framework"]


def test_its_sample_of_the_environment_is_what_the_settings_say(shop: Path) -> None:
    assert manage(shop, "settings", "--env-example") == (shop / ".env.example").read_text()


def test_its_migration_is_what_makemigrations_would_write(shop: Path) -> None:
    migration = shop / "shop" / "notes" / "migrations" / "0001_initial.py"
    text = migration.read_text()
    assert "No changes" in manage(shop, "makemigrations")
    migration.unlink()
    manage(shop, "makemigrations")
    assert migration.read_text() == text


def test_every_command_of_its_readme_works(shop: Path) -> None:
    readme = (shop / "README.md").read_text()
    commands = set(re.findall(r"^python manage\.py ([^#\n]+?)\s*(?:#|$)", readme, re.MULTILINE))
    serving = {"runserver", "runworker"}
    assert serving < commands
    assert "no problems" in manage(shop, "check")
    for command in sorted(commands - serving, reverse=True):
        result = run([sys.executable, "manage.py", *command.split()], cwd=shop)
        # What is said of production is no mistake of the new project.
        expected = 1 if command == "check --deploy" else 0
        assert (result.returncode, result.stderr) == (expected, ""), command + result.stderr


def test_its_own_tests_pass(shop: Path) -> None:
    result = run([sys.executable, "-m", "pytest", "-q"], cwd=shop)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "3 passed" in result.stdout


def test_it_serves_and_its_worker_runs_the_job(server: tuple[Process, str], shop: Path) -> None:
    process, address = server
    body = json.dumps({"text": "three short words"}).encode()
    request = urllib.request.Request(address, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 201
        assert json.load(answer) == {"id": 1, "text": "three short words", "words": None}
    with start([sys.executable, "manage.py", "runworker"], cwd=shop) as worker:
        wait_until(lambda: '"words":3' in _body(address), describe=worker)
        worker.terminate()
        assert worker.wait() == 0
    process.interrupt()
    assert process.wait() == 0


def _body(address: str) -> str:
    answer = fetch(address)
    return answer.body if answer else ""


def test_its_routes_and_parts_are_shown(shop: Path) -> None:
    assert "shop.notes.routes.write_note" in manage(shop, "routes")
    assert "shop.notes.tasks.count_words" in manage(shop, "inspect", "tasks")
    assert "SECRET_KEY (.env)" in manage(shop, "settings")


def test_nothing_is_ever_written_over(written: Path) -> None:
    before = {path: path.read_bytes() for path in written.rglob("*") if path.is_file()}
    result = fastforge(written.parent, "startproject", "shop")
    assert result.returncode == 2
    assert result.stderr == (
        "error: [scaffold.E004] shop/.env, shop/.env.example, shop/.gitignore and 13 more exist"
        " already; choose another folder, or move them away: nothing is written over\n"
    )
    assert all(path.read_bytes() == content for path, content in before.items())


def test_one_file_in_the_way_is_enough(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    result = fastforge(tmp_path, "startproject", "shop", ".")
    assert result.stderr.startswith("error: [scaffold.E004] README.md exists already;")
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    result = fastforge(tmp_path, "startproject", "shop", "there", "--dry-run")
    assert result.returncode == 0
    names = [line.removeprefix("would write there/") for line in result.stdout.splitlines()]
    assert set(names) == set(FILES.split())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = fastforge(tmp_path, "startproject", "shop", "file")
    assert result.returncode == 2
    assert re.fullmatch(r"error: \[scaffold\.E005\] file.* cannot be written: .*\n", result.stderr)
