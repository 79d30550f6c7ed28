"""Which application a server serves is found without an import, and looked at with one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from fastforge.core.entrypoint import (
    PLAIN_APPLICATION,
    find_application,
    written_application,
)
from fastforge.exceptions import SettingsError, StartError
from tests.folder import ProjectFolder, isolated

ASGI = """
    import os
    from fastapi import FastAPI

    app = FastAPI(title=os.environ["FASTFORGE_SETTINGS_MODULE"])
    other = app.router
    """


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": ""})
        yield folder


def found(shop: ProjectFolder) -> str:
    shop.load()  # which makes the project importable
    return find_application("shop.settings", shop.path)


def test_the_entry_of_pyproject_wins_then_asgi_py_then_the_settings_alone(
    shop: ProjectFolder,
) -> None:
    assert found(shop) == PLAIN_APPLICATION
    shop.write({"shop/asgi.py": "raise RuntimeError('imported')"})
    assert found(shop) == "shop.asgi:app"
    shop.write({"pyproject.toml": '[tool.fastapi]\nentrypoint = "shop.other:api"\n'})
    assert found(shop) == "shop.other:api"


def test_a_pyproject_that_cannot_be_read_says_where(shop: ProjectFolder) -> None:
    project = shop.load()
    shop.write({"pyproject.toml": "[tool.fastapi\n"})
    with pytest.raises(SettingsError, match=r"pyproject.toml: pyproject.toml is not valid TOML"):
        written_application(project)


def test_the_application_of_a_module_reads_the_settings_that_are_looked_at(
    shop: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FASTFORGE_SETTINGS_MODULE", raising=False)
    assert written_application(shop.load()) is None
    shop.write({"shop/asgi.py": ASGI})
    app = written_application(shop.load())
    assert isinstance(app, FastAPI)
    assert app.title == "shop.settings"
    assert "FASTFORGE_SETTINGS_MODULE" not in os.environ
    shop.write({"pyproject.toml": '[tool.fastapi]\nentrypoint = "shop.asgi:other"\n'})
    assert written_application(shop.load()) is None


def test_a_module_that_does_not_load_raises_why(shop: ProjectFolder) -> None:
    shop.write({"shop/asgi.py": "app = 1 / 0\n"})
    with pytest.raises(StartError, match=r"asgi.py:1: shop.asgi does not load: ZeroDivision"):
        written_application(shop.load())
