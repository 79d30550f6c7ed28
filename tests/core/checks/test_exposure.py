"""Open documentation, trust in everybody and hidden routes are told before they matter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastforge import Project
from fastforge.checks import Message, run_checks
from tests.folder import ProjectFolder, isolated

ROUTES = """
    from fastapi import APIRouter

    router = APIRouter()

    @router.get("/livez")
    async def live() -> str:
        return "mine"

    @router.get("/{page}")
    async def page(page: str) -> str:
        return page
    """

EXISTING = """
    from fastapi import FastAPI
    from fastforge.asgi import get_asgi_application

    app = get_asgi_application(app=FastAPI(redoc_url=None))
    """


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(
            {"shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]\n', "shop/orders/x.py": ""}
        )
        yield folder


def found(project: Project, check_id: str) -> list[Message]:
    return [each for each in run_checks(project, deploy=True) if each.id == check_id]


def settings(project: Project, **values: Any) -> Project:
    return project.overriding(settings=values)


# --- documentation -------------------------------------------------------------------------------


def test_documentation_that_is_open_in_production_is_told(shop: ProjectFolder) -> None:
    shop.write({"shop/settings.py": "DOCS = True\n"})
    production, test = shop.load({"FASTFORGE_ENV": "production"}), shop.load()
    (message,) = found(production, "web.W010")
    assert message.text == "anybody can read /docs, /redoc, /openapi.json"
    assert str(message.where).endswith("settings.py:1")
    assert not found(test, "web.W010")
    assert not found(settings(production, DOCS=False), "web.W010")


def test_documentation_of_an_application_of_your_own_is_told(
    shop: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTFORGE_ENV", "production")
    shop.write({"shop/asgi.py": EXISTING})
    (message,) = found(shop.load({"FASTFORGE_ENV": "production"}), "web.W010")
    assert message.text == "anybody can read /docs, /openapi.json"


# --- trust ---------------------------------------------------------------------------------------


def test_trust_in_every_address_is_an_error(shop: ProjectFolder) -> None:
    project = shop.load()
    assert len(found(settings(project, TRUSTED_PROXIES=["0.0.0.0/0", "::/0"]), "web.E011")) == 2
    assert not found(settings(project, TRUSTED_PROXIES=["10.0.0.0/8", "unix"]), "web.E011")


def test_every_host_is_told(shop: ProjectFolder) -> None:
    project = shop.load()
    assert found(settings(project, ALLOWED_HOSTS=["*"]), "web.W012")
    assert not found(settings(project, ALLOWED_HOSTS=["*.shop.example"]), "web.W012")


# --- probes --------------------------------------------------------------------------------------


def test_a_route_that_a_probe_hides_is_told_with_both_places(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/orders/routes.py": ROUTES,
            "shop/settings.py": """
                from fastforge.web import Health

                INSTALLED_APPS = ["shop.orders"]
                HEALTH = Health(cache_s=2)
                """,
        }
    )
    project = shop.load()
    (message,) = found(project, "web.W011")
    assert message.text == "live is never reached: the probe answers /livez"
    assert str(message.where).endswith("routes.py:5")
    assert "live_path of HEALTH (" in message.hint
    assert "settings.py:4)" in message.hint
    assert not found(settings(project, HEALTH={"live_path": "/alive"}), "web.W011")


def test_a_route_of_an_application_of_your_own_is_found_too(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/asgi.py": EXISTING
            + """
    @app.get("/readyz")
    async def ready() -> None: ...
    """
        }
    )
    (message,) = found(shop.load(), "web.W011")
    assert message.text.startswith("ready is never reached")
    assert "HEALTH, which is not written" in message.hint
