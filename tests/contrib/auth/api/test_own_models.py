"""The ready routes with a model of the project's own: a name to log in by, another kind of key."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastforge.contrib.mail.memory import delivered
from fastforge.test import Jobs, client, run_command
from fastforge.test.jobs.backends import BackendsOfTests
from tests.folder import isolated

from .conftest import NEW, PASSWORD, SETTINGS, Shop

MODELS = """
    from uuid import UUID, uuid4

    from sqlalchemy.orm import Mapped, mapped_column

    from fastforge.contrib.auth import AbstractUser, Folded

    class Customer(AbstractUser):
        __tablename__ = "customer"
        login_field = "username"
        id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
        username: Mapped[str] = mapped_column(Folded(150), unique=True)
"""


async def test_users_with_a_name_and_a_key_of_another_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They register with a name, log in by it, and have their mail and their links as others."""
    delivered.clear()
    monkeypatch.setenv("FASTFORGE_USER_PASSWORD", PASSWORD)
    others = '"fastforge.contrib.auth.default_user", "fastforge.contrib.sessions", "shop",'
    text = SETTINGS.replace(others, '"shop.people",')
    own = 'AUTH = Auth(user_model="shop.people.models.Customer")'
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
                "shop/settings.py": text.replace("AUTH = Auth()", own),
                "shop/people/models.py": MODELS,
            }
        )
        backends = BackendsOfTests()
        project = backends.used_by(folder.load())
        for line in (["makemigrations"], ["migrate"]):
            assert run_command(project, *line).exit_code == 0
        made = run_command(project, "createuser", "ann", "--field", "email=ann@example.org")
        assert made.exit_code == 0, made.error
        jobs = Jobs(project, backends)
        async with client(project) as http:
            await _hold(Shop(project, http, jobs))
        await jobs.close()


async def _hold(shop: Shop) -> None:
    await shop.post("/auth/register", email="bob@example.org")
    token = await shop.mailed_token()
    nameless = await shop.post("/auth/register/confirm", token=token, password=NEW)
    assert (nameless.status_code, nameless.json()["code"]) == (422, "auth.E014")
    taken = await shop.post("/auth/register/confirm", token=token, password=NEW, login="ANN")
    assert taken.status_code == 409
    bob = await shop.post("/auth/register/confirm", token=token, password=NEW, login="Bob")
    assert (bob.status_code, bob.json()["login"]) == (201, "bob")
    assert len(bob.json()["id"]) == 36

    pair = (await shop.post("/auth/login", login="bob", password=NEW)).json()
    assert (await shop.me(pair["access_token"])).json()["id"] == bob.json()["id"]
    await shop.post("/auth/password/reset", email="bob@example.org")
    token = await shop.mailed_token()
    done = await shop.post("/auth/password/reset/confirm", token=token, password=PASSWORD)
    assert done.status_code == 204
    by_address = await shop.post("/auth/login", login="bob@example.org", password=PASSWORD)
    assert by_address.status_code == 401
    assert (await shop.post("/auth/login", login="BOB", password=PASSWORD)).status_code == 200

    made = await shop.post("/open/register", email="eve@x.y", login="eve", password=PASSWORD)
    assert made.status_code == 201
    # What PostgreSQL would not take is no 500: longer than its column, or with a NUL.
    for odd in ({"login": "m" * 151}, {"email": "m\0@x.y"}):
        body = {"email": "max@x.y", "login": "max", "password": PASSWORD, **odd}
        refused = await shop.post("/open/register", **body)
        assert (refused.status_code, refused.json()["code"]) == (422, "auth.E014")
