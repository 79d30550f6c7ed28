"""The migrations of contrib.auth itself make what its models say."""

from __future__ import annotations

from fastforge.test import run_command
from tests.folder import ProjectFolder

from .conftest import settings


def test_the_migrations_are_those_of_the_models(folder: ProjectFolder, database_url: str) -> None:
    folder.write({"shop/settings.py": settings(database_url)})
    project = folder.load()
    done = run_command(project, "migrate")
    assert done.exit_code == 0, done.output
    assert "applied: auth.0001_initial" in done.output
    for label in ("auth", "default_user"):
        done = run_command(project, "makemigrations", label, "--check")
        assert done.exit_code == 0, done.output


def test_they_can_be_taken_back(folder: ProjectFolder, database_url: str) -> None:
    folder.write({"shop/settings.py": settings(database_url)})
    project = folder.load()
    assert run_command(project, "migrate").exit_code == 0
    done = run_command(project, "migrate", "auth", "zero")
    assert done.exit_code == 0, done.output
