"""Checks are found in the installed apps, silenced by id, and the core has its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.checks import Level, run_checks
from tests.folder import ProjectFolder, isolated

APP_CHECK = """
from fastforge.checks import Level, Message, check

@check
def always(project):
    yield Message(id="orders.W001", level=Level.WARNING, text="something", hint="do it")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


def found(folder: ProjectFolder, settings: str, *, deploy: bool = False) -> dict[str, str]:
    folder.write({"shop/settings.py": settings})
    project = folder.load()
    return {message.id: str(message) for message in run_checks(project, deploy=deploy)}


def test_an_apps_check_runs_and_can_be_silenced_with_a_reason(folder: ProjectFolder) -> None:
    folder.write({"shop/orders/checks.py": APP_CHECK})
    apps = 'INSTALLED_APPS = ["shop.orders"]\n'
    assert found(folder, apps) == {"orders.W001": "warning [orders.W001] something; do it"}
    assert found(folder, apps + 'SILENCED_CHECKS = {"orders.W001": "known"}') == {}
    assert "core.W002" in found(folder, apps + 'SILENCED_CHECKS = {"orders.W001": ""}')


def test_a_near_miss_of_a_convention_module_is_reported(folder: ProjectFolder) -> None:
    folder.write(
        {"shop/orders/task.py": "", "shop/orders/routes.py": "", "shop/orders/schemas.py": ""}
    )
    messages = found(folder, 'INSTALLED_APPS = ["shop.orders"]')
    assert list(messages) == ["core.W001"]
    assert (
        "orders/task.py:1: shop.orders.task is not searched for components" in messages["core.W001"]
    )
    assert "rename it to tasks.py" in messages["core.W001"]


def test_deploy_checks_run_only_for_a_deploy(folder: ProjectFolder) -> None:
    settings = 'DEBUG = True\nSECRET_KEY = "short"\n'
    assert found(folder, settings) == {}
    messages = found(folder, settings, deploy=True)
    assert set(messages) == {"core.E001", "core.E002"}
    assert "shop/settings.py:2: SECRET_KEY is shorter than 32 bytes" in messages["core.E001"]
    assert found(folder, 'SECRET_KEY = "k" * 32', deploy=True) == {}


def test_levels_are_ordered() -> None:
    assert Level.INFO < Level.WARNING < Level.ERROR
