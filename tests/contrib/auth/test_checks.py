"""`manage check` of AUTH."""

from __future__ import annotations

import pytest

from fastforge.checks import run_checks
from fastforge.contrib.auth import checks
from tests.folder import ProjectFolder

from .conftest import settings

MODEL = """
    from sqlalchemy.orm import Mapped, mapped_column

    from fastforge.contrib.auth import AbstractUser, Folded

    class User{number}(AbstractUser):
        __tablename__ = "account_{number}"
        {column}
"""


def found(folder: ProjectFolder, *, deploy: bool = False) -> dict[str, str]:
    messages = run_checks(folder.load(), deploy=deploy).messages
    return {each.id: str(each) for each in messages if each.id.startswith("auth.")}


def test_the_default_is_right(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": settings()})
    assert found(folder, deploy=True) == {}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("shop.nowhere.User", "cannot be imported"),
        ("User", "cannot be imported"),
        ("fastforge.contrib.db.Model", "is no AbstractUser"),
        ("fastforge.contrib.auth.AbstractUser", "is abstract"),
    ],
)
def test_a_user_model_that_is_none_is_an_error(folder: ProjectFolder, name: str, told: str) -> None:
    folder.write({"shop/settings.py": settings(auth=f"user_model={name!r}")})
    message = found(folder)["auth.E001"]
    assert told in message
    assert "settings.py:9" in message


def test_a_user_model_of_an_app_that_is_not_installed_is_an_error(folder: ProjectFolder) -> None:
    text = settings().replace('"fastforge.contrib.auth.default_user",', "")
    folder.write({"shop/settings.py": text})
    message = found(folder)["auth.E002"]
    assert 'put "fastforge.contrib.auth.default_user" into INSTALLED_APPS' in message


@pytest.mark.parametrize(
    ("number", "column", "told"),
    [
        (1, 'login_field = "username"', "none of their columns"),
        (
            2,
            'login_field = "username"; username: Mapped[str] = mapped_column(Folded(150))',
            "not unique",
        ),
        (
            3,
            'login_field = "username"; username: Mapped[str] ='
            " mapped_column(Folded(150), unique=True)",
            "",
        ),
        (
            4,
            'login_field = "username"; username: Mapped[str] ='
            " mapped_column(Folded(150), unique=True, index=True)",
            "",
        ),
    ],
)
def test_the_login_has_to_be_a_unique_column(
    folder: ProjectFolder, number: int, column: str, told: str
) -> None:
    folder.write(
        {
            "shop/settings.py": settings(
                auth=f'user_model="shop.accounts.models.User{number}"', apps='"shop.accounts"'
            ),
            "shop/accounts/models.py": MODEL.format(number=number, column=column),
        }
    )
    message = found(folder).get("auth.E003", "")
    assert told in message
    assert bool(told) == bool(message)


def test_a_rule_that_does_not_exist_cannot_be_skipped(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": settings(auth='skipped_rules=["password_numerik"]')})
    assert "did you mean 'password_numeric'?" in found(folder)["auth.E004"]


@pytest.mark.parametrize(
    ("auth", "is_weak"),
    [
        ("argon2_memory_kib=1024", True),
        ("argon2_iterations=1", True),
        ("argon2_memory_kib=7168, argon2_iterations=9", False),
        ("argon2_memory_kib=47104, argon2_iterations=1", False),
    ],
)
def test_hashes_that_are_guessed_fast_are_told_of(
    folder: ProjectFolder, auth: str, is_weak: bool
) -> None:
    folder.write({"shop/settings.py": settings(auth=auth)})
    assert found(folder) == {}
    assert ("auth.W001" in found(folder, deploy=True)) is is_weak


def test_hashes_that_take_the_memory_of_the_container_are_told_of(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "memory_limit", lambda: 256 * 1024 * 1024)
    text = settings(auth="hashing_threads=4") + '\n    SERVER = {"workers": 4}\n'
    folder.write({"shop/settings.py": text})
    message = found(folder, deploy=True)["auth.W002"]
    assert "304 MiB: 4 processes x 4 threads x 19 MiB, and there are 256 MiB here" in message
    monkeypatch.setattr(checks, "memory_limit", lambda: None)
    assert "auth.W002" not in found(folder, deploy=True)


VERIFIERS = """
    from fastforge.contrib.auth.external import Introspection, OidcIssuer

    PARTNERS = Introspection(
        name="partners", url="https://id.example.org/i", client_id="a", client_secret="b"{prefix}
    )
    STAFF = OidcIssuer(name="staff", issuer="https://id.example.org", audience="shop")
"""


def with_verifiers(folder: ProjectFolder, apps: str, prefix: str = "") -> None:
    text = settings(apps=f'{apps} "shop.web"').replace(
        '"fastforge.contrib.auth",', '"fastforge.contrib.http", "fastforge.contrib.auth",'
    )
    verifiers = VERIFIERS.format(prefix=prefix)
    folder.write({"shop/settings.py": text, "shop/web/token_verifiers.py": verifiers})


def test_a_verifier_of_others_without_the_app_that_it_needs_is_an_error(
    folder: ProjectFolder,
) -> None:
    with_verifiers(folder, "")
    message = found(folder)["auth.E007"]
    assert "token_verifiers.py:6" in message
    assert '"fastforge.contrib.auth.external" into INSTALLED_APPS' in message


def test_a_verifier_behind_one_that_takes_every_token_is_a_warning(folder: ProjectFolder) -> None:
    with_verifiers(folder, '"fastforge.contrib.auth.external",')
    assert list(found(folder)) == ["auth.W006"]
    assert "no token reaches the verifier 'staff': 'partners' takes" in found(folder)["auth.W006"]


def test_one_that_takes_its_own_tokens_is_none(folder: ProjectFolder) -> None:
    with_verifiers(folder, '"fastforge.contrib.auth.external",', ', prefix="p_"')
    assert found(folder) == {}


def test_access_tokens_for_a_month_are_a_warning_before_a_deployment(
    folder: ProjectFolder,
) -> None:
    folder.write({"shop/settings.py": settings(auth="access_ttl_s=30 * 86400")})
    assert "good for 720 hours" in found(folder, deploy=True)["auth.W005"]
    assert found(folder) == {}
