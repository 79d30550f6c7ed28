"""What a new password must not be."""

from __future__ import annotations

from typing import Any

import pytest

from fastforge import Project, Role
from fastforge.contrib.auth import About, Auth, password_rule, weaknesses_of
from fastforge.contrib.auth import common_passwords as common
from fastforge.contrib.auth.common_passwords import is_common
from fastforge.contrib.auth.default_user import User
from fastforge.contrib.auth.password_rules import password_like_login
from fastforge.exceptions import ComponentError
from fastforge.lifecycle import use_container
from tests.folder import ProjectFolder

from .conftest import PASSWORD, settings

OWN_RULE = """
    from fastforge.contrib.auth import About, password_rule

    @password_rule
    def password_names_us(password: str, about: About) -> str | None:
        return "it names the shop" if "shop" in password else None
"""


async def codes(project: Project, password: str, user: User | None = None) -> list[str]:
    async with project.running(Role.COMMAND) as container:
        with use_container(container):
            return [each.code for each in weaknesses_of(password, user)]


@pytest.mark.parametrize(
    "password",
    [
        "password", "P@ssw0rd", "Passw0rd2024!", "12345678", "87654321", "qwertyuiop", "qwerty123",
        "1qaz2wsx", "aaaaaaaa", "abababab", "iloveyou2", "letmein!!", "dragondragon", "abc123",
        "changeme", "trustno1", "asdfghjkl", "monkey12", "sunshine99", "Football#1", "adminadmin",
        "passwordpassword", "welcome1", "zxcvbnm1",
    ],
)  # fmt: skip
def test_what_is_tried_first_is_common(password: str) -> None:
    assert is_common(password)


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "vK3#qLz9",
        "orchard-lamp",
        "Tr0ub4dor&3",
        "wxyz-marble-17",
        "grüne Wiese 4",
    ],
)
def test_other_passwords_are_not_common(password: str) -> None:
    assert not is_common(password)


@pytest.mark.parametrize(
    ("password", "word", "is_like"),
    [
        ("annalovelace1", "anna.lovelace@example.org", True),
        ("Lovelace2026", "anna.lovelace@example.org", True),
        ("AnnaLovelacE!", "anna.lovelace@example.org", True),
        ("example.org-7", "anna.lovelace@example.org", True),
        (PASSWORD, "anna.lovelace@example.org", False),
        ("orchard-lamp", "or@example.org", False),
    ],
)
def test_a_password_is_not_like_what_others_know(password: str, word: str, is_like: bool) -> None:
    about = About(config=Auth(), words=(word,))
    assert bool(password_like_login.function(password, about)) is is_like


def test_the_longest_password_is_judged_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is judged on the event loop: many runs must not take the square of the length."""
    asked: list[str] = []
    is_run = common._is_run
    monkeypatch.setattr(common, "_is_run", lambda text: asked.append(text) or is_run(text))
    assert is_common("01234567890" * 93)
    assert len(asked) < 4_000


async def test_each_rule_says_its_code(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": settings(auth="password_min_length=10")})
    project = folder.load()
    assert await codes(project, "vK3#qLz9") == ["password_too_short"]
    assert await codes(project, "7302984615") == ["password_numeric"]
    assert await codes(project, "password123") == ["password_common"]
    assert await codes(project, "a\0b") == ["password_unusable"]
    ann = User(email="ann.miller@example.org")
    assert await codes(project, "annmiller77", ann) == ["password_like_login"]
    assert await codes(project, "orchard-lamp", ann) == []


async def test_a_project_adds_rules_and_leaves_some_out(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/settings.py": settings(
                auth='skipped_rules=["password_numeric", "password_common"]', apps='"shop.accounts"'
            ),
            "shop/accounts/password_rules.py": OWN_RULE,
        }
    )
    project = folder.load()
    assert await codes(project, "12345678") == []
    assert await codes(project, "orchard-shop") == ["password_names_us"]


async def awaited(password: str, about: About) -> str | None:
    """A rule that asks somebody: its coroutine would be true of every password."""
    return None


@pytest.mark.parametrize("rule", ["short", awaited])
def test_a_rule_is_a_plain_function(rule: Any) -> None:
    with pytest.raises(ComponentError, match=r"auth\.E013"):
        password_rule(rule)
