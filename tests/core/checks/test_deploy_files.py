"""What stands in the files of a project, or in its environment, is told before a release."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.checks import Message, run_checks
from tests.folder import ProjectFolder, isolated

from .test_deploy import ENVIRON, KEY, SHOP


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        yield folder


def told(folder: ProjectFolder, **environ: str) -> dict[str, Message]:
    messages = run_checks(folder.load({**ENVIRON, **environ}), deploy=True)
    return {message.id: message for message in messages}


@pytest.mark.parametrize(
    "line", [f'SECRET_KEY = "{KEY}"', f'SECRET_KEY = env.secret("SECRET_KEY", default="{KEY}")']
)
def test_a_key_that_is_in_the_code_is_told_with_its_line(shop: ProjectFolder, line: str) -> None:
    shop.write({"shop/settings.py": f"from fastforge.conf import env\n{line}\n"})
    message = told(shop)["core.W004"]
    assert str(message.where).endswith("settings.py:2")
    assert KEY not in str(message)


def test_a_key_that_comes_from_outside_is_not_told(shop: ProjectFolder) -> None:
    assert "core.W004" not in told(shop)


def test_jobs_inside_the_server_are_told_in_production(shop: ProjectFolder) -> None:
    assert "tasks.W055" in told(shop, FASTFORGE_EMBEDDED_WORKER="1")
    assert "tasks.W055" not in told(shop)
    development = {"FASTFORGE_EMBEDDED_WORKER": "1", "FASTFORGE_ENV": "development"}
    assert "tasks.W055" not in told(shop, **development)
