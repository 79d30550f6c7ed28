"""What the server would refuse at its start is found before: also in a module that makes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.checks import run_checks
from tests.folder import ProjectFolder, isolated

ENTRYPOINT = '[tool.fastapi]\nentrypoint = "shop.asgi:api"\n'

TWICE = """
    from fastapi import APIRouter

    one, two = APIRouter(), APIRouter()

    @one.get("/same")
    @two.get("/same")
    async def same(): ...
    """


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]'})
        folder.write({"shop/orders/__init__.py": ""})
        yield folder


def told(shop: ProjectFolder) -> list[str]:
    messages = run_checks(shop.load(), tags=["web"])
    return [str(message).replace(f"{shop.path}/", "") for message in messages]


def test_a_module_that_does_not_load_is_told_with_the_line_that_fails(
    shop: ProjectFolder,
) -> None:
    shop.write({"shop/asgi.py": "# no name\n# of this kind\napp = nothing\n"})
    (line,) = told(shop)
    assert line.startswith(
        "error [core.E003] shop/asgi.py:3: [server.E004] shop.asgi does not load"
    )


def test_what_a_module_makes_of_the_routers_is_what_counts(shop: ProjectFolder) -> None:
    """Under prefixes of their own the routers do not clash: the server would start."""
    shop.write({"shop/orders/routes.py": TWICE})
    (line,) = told(shop)
    assert "[web.E001] GET /same is declared twice" in line
    shop.write(
        {
            "shop/asgi.py": """
                from fastapi import FastAPI

                from fastforge.asgi import get_asgi_application
                from fastforge.project import Project
                from shop.orders.routes import one

                existing = FastAPI()
                existing.include_router(one, prefix="/legacy")
                project = Project.load("shop.settings", environ={"FASTFORGE_ENV": "test"})
                app = get_asgi_application(project, app=existing)
                """
        }
    )
    assert told(shop) == []


PLAIN = """
    from fastapi import FastAPI
    from fastforge.asgi import get_asgi_application

    api = FastAPI()
    """


def test_an_application_that_the_project_has_never_seen_is_told_with_its_line(
    shop: ProjectFolder,
) -> None:
    shop.write({"shop/asgi.py": PLAIN, "pyproject.toml": ENTRYPOINT})
    assert told(shop) == [
        "warning [web.W006] shop/asgi.py:4: shop.asgi:api is served without the project: no"
        " resource is opened for it, and no router or setting counts; write api ="
        " get_asgi_application(app=api)"
    ]


def test_an_application_that_the_project_is_given_later_is_its_own(shop: ProjectFolder) -> None:
    given = PLAIN + "\n    get_asgi_application(app=api)\n"
    shop.write({"shop/asgi.py": given, "pyproject.toml": ENTRYPOINT})
    assert told(shop) == []
