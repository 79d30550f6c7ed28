"""Guards and rules of logins: who is asked before anything is looked up, and after the password."""

from __future__ import annotations

import pytest

from fastforge import Project, Role
from fastforge.contrib.auth import authenticate, create_user, find_user, login_rule
from fastforge.contrib.auth.default_user import User
from fastforge.contrib.auth.library import Argon2Hasher
from fastforge.contrib.auth.terminal import PASSWORD_VARIABLE
from fastforge.contrib.db import session, utcnow
from fastforge.exceptions import ComponentError
from fastforge.lifecycle import Container
from fastforge.test import client, run_command
from tests.folder import ProjectFolder

from .conftest import PASSWORD, settings
from .test_users import audit

GUARDS = """
    from fastforge.contrib.auth import Attempt, LoginGuard, TooManyAttempts

    heard = []

    async def before(attempt: Attempt) -> None:
        heard.append(attempt)
        if attempt.login == "eve@example.org":
            raise TooManyAttempts.after(41.2)

    async def after(attempt: Attempt, succeeded: bool) -> None:
        heard.append((attempt.login, succeeded))

    OURS = LoginGuard(name="ours", before=before, after=after)
"""
RULES = """
    from fastforge.contrib.auth import AbstractUser, login_rule

    @login_rule
    def may_order(user: AbstractUser) -> bool:
        return "orders" in user.scopes
"""
ROUTES = """
    from fastapi import APIRouter

    from fastforge.contrib.auth import authenticate
    from fastforge.contrib.db import DbSession, non_atomic

    router = APIRouter()

    @router.post("/login")
    @non_atomic
    async def login(email: str, password: str, db: DbSession) -> bool:
        return await authenticate(db, email, password) is not None

    @router.get("/heard")
    async def heard() -> list[str]:
        from .login_guards import heard

        return [str(each) for each in heard]
"""


@pytest.fixture
def guarded(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> Project:
    folder.write(
        {
            "shop/settings.py": settings(apps='"shop.web"'),
            "shop/web/routes.py": ROUTES,
            "shop/web/login_guards.py": GUARDS,
            "shop/web/login_rules.py": RULES,
        }
    )
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    project = folder.load()
    assert run_command(project, "migrate").exit_code == 0
    for login, scopes in (("ann@example.org", '["orders"]'), ("bob@example.org", "[]")):
        made = run_command(project, "createuser", login, "--field", f"scopes={scopes}")
        assert made.exit_code == 0, made.error
    return project


async def test_a_guard_hears_of_each_login_in_a_request_and_refuses_before_any_work(
    guarded: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with client(guarded) as http:
        good = await http.post("/login", params={"email": " ANN@example.org", "password": PASSWORD})
        bad = await http.post("/login", params={"email": "ann@example.org", "password": "x" * 9})
        monkeypatch.delattr(Argon2Hasher, "hash")
        monkeypatch.delattr(Argon2Hasher, "verify")
        stopped = await http.post("/login", params={"email": "Eve@example.org", "password": "y"})
        heard = (await http.get("/heard")).json()
    assert (good.json(), bad.json()) == (True, False)
    assert stopped.status_code == 429
    assert stopped.headers["Retry-After"] == "42"
    assert stopped.json()["code"] == "auth.E050"
    assert audit(caplog)[-1:] == [("auth.login_failed", "too_many_attempts")]
    # Nobody logs by accident what was typed.
    asked = "Attempt(action='login', address='127.0.0.1')"
    assert heard == [
        asked, "('ann@example.org', True)", asked, "('ann@example.org', False)", asked
    ]  # fmt: skip


async def test_a_rule_refuses_as_a_wrong_password_does_and_the_audit_says_which(
    guarded: Project, caplog: pytest.LogCaptureFixture
) -> None:
    async with client(guarded) as http:
        answer = await http.post(
            "/login", params={"email": "bob@example.org", "password": PASSWORD}
        )
    assert answer.json() is False
    line = caplog.records[-1]
    assert (line.__dict__["reason"], line.__dict__["rule"]) == ("login_rule", "may_order")


async def test_nobody_is_asked_outside_of_a_request(guarded: Project) -> None:
    async with guarded.running(Role.COMMAND), session() as db:
        from shop.web import login_guards  # type: ignore[import-not-found]

        before = len(login_guards.heard)
        assert await authenticate(db, "eve@example.org", PASSWORD) is None
        assert len(login_guards.heard) == before


def test_a_rule_has_to_be_a_plain_function() -> None:
    async def later(user: object) -> bool:
        return True

    with pytest.raises(ComponentError, match=r"auth\.E051.*no plain function"):
        login_rule(later)  # type: ignore[arg-type]


async def test_another_address_has_to_be_proven_again(container: Container) -> None:
    async with session() as db, db.atomic():
        ann = await create_user(db, "ann@example.org", model=User, email_verified_at=utcnow())
        ann.scopes = ["orders"]
        await db.flush()
        assert ann.email_verified_at is not None
        ann.email = "ANN@example.org"
        await db.flush()
        assert ann.email_verified_at is not None
        ann.email = "anna@example.org"
        await db.flush()
        assert ann.email_verified_at is None
    async with session() as db:
        found = await find_user(db, "anna@example.org", model=User)
        assert found is not None
        assert found.email_verified_at is None
