"""createuser, createsuperuser, changepassword: in processes of their own, and at a terminal."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fastforge.contrib.auth.hashing import Hashing
from fastforge.contrib.auth.terminal import PASSWORD_VARIABLE
from fastforge.test import Result, run_command
from tests.folder import ProjectFolder
from tests.processes import clean_environment
from tests.terminal import in_terminal

from .conftest import PASSWORD, settings

MODEL = """
    from sqlalchemy.orm import Mapped, mapped_column

    from fastforge.contrib.auth import AbstractUser, Folded

    class Member(AbstractUser):
        __tablename__ = "member"
        login_field = "username"
        username: Mapped[str] = mapped_column(Folded(150), unique=True)
        age: Mapped[int]
"""
MANAGE = [sys.executable, "-m", "fastforge"]
ENVIRONMENT = {"FASTFORGE_ENV": "test"}


@pytest.fixture
def shop(folder: ProjectFolder) -> Path:
    """A project with an empty table of users."""
    folder.write({"shop/settings.py": settings()})
    assert run_command(folder.load(), "migrate").exit_code == 0
    return folder.path


def rows(shop: Path, columns: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(shop / "db.sqlite3") as connection:
        return connection.execute(f"SELECT {columns} FROM auth_user ORDER BY id").fetchall()


def is_password(shop: Path, password: str) -> bool:
    (stored,) = rows(shop, "password_hash")[0]
    return Hashing(memory_kib=8, iterations=1).verify(password, str(stored)).is_right


Manage = Callable[[str], Result]


@pytest.fixture
def manage(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> Manage:
    """Runs a command of a container, which has the password in a variable."""
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    return lambda line: run_command(folder.load(), *line.split())


def test_a_container_makes_users_by_a_variable(shop: Path, manage: Manage) -> None:
    made = [
        manage('createuser Ann@Example.org --noinput --field scopes=["a"]'),
        manage("createsuperuser root@example.org --noinput"),
        manage("createuser ann@example.org --noinput"),
    ]
    assert [each.exit_code for each in made] == [0, 0, 2]
    assert "created: ann@example.org (id 1)" in made[0].output
    assert "[auth.E022] there is a user 'ann@example.org' already" in made[2].error
    assert rows(shop, "email, is_superuser, scopes") == [
        ("ann@example.org", 0, '["a"]'),
        ("root@example.org", 1, "[]"),
    ]
    assert is_password(shop, PASSWORD)
    assert not any(PASSWORD in each.output + each.error for each in made)


def test_a_program_gives_the_password_by_standard_input(shop: Path) -> None:
    def piped(*arguments: str, password: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*MANAGE, *arguments, "--password-stdin"],
            cwd=shop,
            env=clean_environment() | ENVIRONMENT,
            input=f"{password}\nnot this\n",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert piped("createuser", "ann@example.org", password=PASSWORD).returncode == 0
    changed = piped("changepassword", "ANN@example.org", password="orchard-lamp")
    assert (changed.returncode, changed.stdout) == (0, "changed: the password of ann@example.org\n")
    assert is_password(shop, "orchard-lamp")
    assert rows(shop, "version") == [(2,)]


@pytest.mark.parametrize(
    ("line", "password", "told"),
    [
        (
            "createuser ann@example.org --noinput",
            "",
            "[auth.E020] there is no password, and nobody can be asked; set FASTFORGE_USER_",
        ),
        ("createuser", PASSWORD, "[auth.E020] there is no email, and nobody can be asked; write"),
        ("changepassword b@x.y", PASSWORD, "[auth.E023] there is no user 'b@x.y'"),
        ("createuser ann", PASSWORD, "[auth.E014] this is no e-mail address"),
        (
            "createuser ann@x.y --field emial=x",
            PASSWORD,
            "[auth.E024] --field 'emial=x' is no field of User with a value",
        ),
        (
            "createuser ann@x.y --field is_active=perhaps",
            PASSWORD,
            "[auth.E024] --field is_active: 'perhaps' is no bool",
        ),
        (
            "createuser ann@x.y --field scopes=a",
            PASSWORD,
            "[auth.E024] --field scopes: 'a' is no JSON",
        ),
        (
            "createuser ann@x.y --field password_hash=x",
            PASSWORD,
            "[auth.E024] --field 'password_hash=x' is no field of User with a value",
        ),
        ("createuser ann@x.y", "12345678", "[auth.E010] the password is refused"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_with_the_exit_code_2(
    shop: Path,
    manage: Manage,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    password: str,
    told: str,
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, password)
    result = manage(line)
    assert told in result.error
    assert result.exit_code == 2
    assert rows(shop, "id") == []


def test_a_model_of_the_project_says_what_it_needs(folder: ProjectFolder, manage: Manage) -> None:
    text = settings(auth='user_model="shop.accounts.models.Member"', apps='"shop.accounts"')
    own = text.replace('"fastforge.contrib.auth.default_user",', "")
    folder.write({"shop/settings.py": own, "shop/accounts/models.py": MODEL})
    told = [
        manage("makemigrations"),
        manage("migrate"),
        manage("createuser ann --noinput"),
        manage("createuser Ann --noinput --field email=Ann@x.y --field age=30"),
        manage("changepassword ann --noinput"),
    ]
    assert [each.exit_code for each in told] == [0, 0, 2, 0, 0], told
    expected = "[auth.E025] Member needs age, email as well; --field age=... --field email=..."
    assert expected in told[2].error
    assert "changed: the password of ann" in told[4].output
    migration = next((folder.path / "shop/accounts/migrations").glob("0001*.py")).read_text()
    assert "username = lower(username)" in migration


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(shop: Path) -> None:
    with in_terminal([*MANAGE, "createuser"], cwd=shop, env=ENVIRONMENT) as terminal:
        terminal.wait_for("email: ")
        terminal.enter("ann@example.org")
        terminal.wait_for("Password: ")
        terminal.enter(PASSWORD)
        terminal.wait_for("Password (again): ")
        terminal.enter(PASSWORD)
        terminal.wait_for("created: ann@example.org")
        assert terminal.wait() == 0
        assert PASSWORD not in terminal.shown
    with in_terminal(
        [*MANAGE, "changepassword", "ann@example.org"], cwd=shop, env=ENVIRONMENT
    ) as terminal:
        terminal.wait_for("Password: ")
        terminal.enter("orchard-lamp")
        terminal.wait_for("Password (again): ")
        terminal.enter("orchard-lump")
        terminal.wait_for("[auth.E021] the two passwords are not the same")
        assert terminal.wait() == 2
    assert is_password(shop, PASSWORD)
