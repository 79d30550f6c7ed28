"""A folder that looks like an app and is installed nowhere is told, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.checks import run_checks
from tests.folder import ProjectFolder, isolated

NAMED = "shop.orders looks like an app, and INSTALLED_APPS does not name it; add "
NOTES = {"shop/settings.py": 'INSTALLED_APPS = ["shop.notes"]', "shop/notes/routes.py": ""}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(NOTES)
        yield folder


def told(folder: ProjectFolder) -> list[str]:
    return [str(message) for message in run_checks(folder.load(), tags=["apps"])]


@pytest.mark.parametrize("module", ["channels", "models", "routes", "tasks"])
def test_an_app_that_is_forgotten_in_the_settings_is_told(
    folder: ProjectFolder, module: str
) -> None:
    folder.write({f"shop/orders/{module}.py": ""})
    (message,) = told(folder)
    assert message.startswith("warning [core.W008] ")
    assert f'shop/orders/{module}.py:1: {NAMED}"shop.orders"' in message


def test_also_where_no_app_is_installed_and_where_the_folder_has_no_init(
    folder: ProjectFolder,
) -> None:
    folder.write({"shop/settings.py": "INSTALLED_APPS = []", "shop/orders/models.py": ""})
    (folder.path / "shop/orders/__init__.py").unlink()
    assert [message.partition(": ")[2].partition(" ")[0] for message in told(folder)] == [
        "shop.notes",
        "shop.orders",
    ]


def test_what_is_installed_or_has_no_such_file_is_none(folder: ProjectFolder) -> None:
    folder.write({"shop/words/spelling.py": "", "shop/tests/models.py": "", "other/models.py": ""})
    assert told(folder) == []


def test_what_somebody_imports_is_left_alone(folder: ProjectFolder) -> None:
    """By an app, or by an application of the project's own: it serves some purpose."""
    folder.write(
        {
            "shop/orders/routes.py": "",
            "shop/prices/models.py": "",
            "shop/notes/routes.py": "from shop.prices import models",
            "shop/asgi.py": """
                from fastapi import FastAPI
                from fastforge.asgi import get_asgi_application
                import shop.orders.routes

                app = get_asgi_application(app=FastAPI())
                """,
        }
    )
    assert told(folder) == []


def test_the_folders_of_an_app_that_is_the_whole_package_are_its_own(
    folder: ProjectFolder,
) -> None:
    folder.write({"shop/settings.py": 'INSTALLED_APPS = ["shop"]', "shop/orders/models.py": ""})
    assert told(folder) == []
