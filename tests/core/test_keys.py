"""In production nothing starts that signs with a key which others know or can work out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from fastforge import Project, Role
from fastforge.checks import Diagnosis, Patient
from fastforge.core.examinations.basics import process
from fastforge.exceptions import StartError
from tests.commanding import python
from tests.folder import ProjectFolder, isolated

GOOD = "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd_PiQ3nKwBzY6tVxC"
BAD = {
    "a short one": "hunter2",
    "one that an example has": "django-insecure-4t!x8r(2m&kq0z=v7w^a5h@n3s#p9",
    "one to be replaced": f"{GOOD}-change-me",
    "one of few characters": "a" * 64,
    "a text again and again": "0123456789abcdef" * 4,
}
SETTINGS = """
    from fastforge.conf import env

    SECRET_KEY = env.secret("SECRET_KEY", default="")
    SECRET_KEY_FALLBACKS = env.secret("SECRET_KEY_FALLBACKS", default="")
    """


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": SETTINGS,
                "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
            }
        )
        yield folder


def environ(key: str, *, environment: str = "production", fallbacks: str = "") -> dict[str, str]:
    return {
        "FASTFORGE_ENV": environment,
        "SECRET_KEY": key,
        "SECRET_KEY_FALLBACKS": fallbacks,
    }


@pytest.mark.parametrize("key", BAD.values(), ids=BAD)
@pytest.mark.parametrize("role", [Role.WEB, Role.WORKER])
def test_a_bad_key_ends_the_start_with_code_3(folder: ProjectFolder, key: str, role: Role) -> None:
    with pytest.raises(StartError, match="SECRET_KEY is not fit for production") as caught:
        folder.load(environ(key)).running(role)
    assert (caught.value.code, caught.value.exit_code) == ("signing.E005", 3)
    assert key not in str(caught.value)


def test_an_old_key_that_is_bad_does_so_too(folder: ProjectFolder) -> None:
    with pytest.raises(StartError, match=r"SECRET_KEY_FALLBACKS\[1\] is not fit"):
        folder.load(environ(GOOD, fallbacks=f"{GOOD[::-1]},short")).running(Role.WEB)


@pytest.mark.parametrize(
    ("key", "environment", "role"),
    [
        (GOOD, "production", Role.WEB),
        ("", "production", Role.WEB),
        ("short", "development", Role.WEB),
        ("short", "test", Role.WORKER),
        ("short", "production", Role.COMMAND),
    ],
    ids=["a good key", "no key, so that nothing is signed", "a laptop", "a test", "a command"],
)
async def test_all_others_start(
    folder: ProjectFolder, key: str, environment: str, role: Role
) -> None:
    async with folder.load(environ(key, environment=environment)).running(role) as container:
        assert container.role is role


@pytest.mark.parametrize(
    "command", [["runserver", "0", "--no-worker", "--workers", "2"], ["runworker"]], ids="_".join
)
def test_the_processes_say_so_in_one_line(folder: ProjectFolder, command: list[str]) -> None:
    done = python(["-m", "fastforge", *command], cwd=folder.path, env=environ("short"))
    assert done.returncode == 3
    told = done.stdout + done.stderr
    assert told.count("signing.E005") == 1 and "Traceback" not in told


def stopping(project: Project) -> list[Diagnosis]:
    """What the doctor says that no process can start with."""
    rows = process.function(Patient(project=project))
    assert isinstance(rows, Iterable)
    return [row for row in rows if row.stops]


def test_the_doctor_says_so_too(folder: ProjectFolder) -> None:
    stops = stopping(folder.load(environ("hunter2", fallbacks=f"{GOOD},short")))
    assert [row.text.partition(" is ")[0] for row in stops] == [
        "SECRET_KEY",
        "SECRET_KEY_FALLBACKS[1]",
    ]
    assert all(row.verdict == "fail" and "token_urlsafe" in row.hint for row in stops)
    assert not stopping(folder.load(environ("hunter2", environment="development")))
