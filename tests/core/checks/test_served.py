"""The application is made once for all checks that look at it, and as a server would make it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.checks import run_checks
from fastforge.core.checks.served import served
from tests.folder import ProjectFolder, isolated

FORMAT = """
    from fastforge.web import Problem, error_format

    @error_format(prefix="/api")
    def refusal(problem: Problem) -> dict[str, str]:
        return {"error": problem.title}
    """

LOOKING = """
    from fastforge.checks import Level, Message, check
    from fastforge.core.checks.served import served

    def look(project):
        yield Message(id="orders.I001", level=Level.INFO, text=str(id(served(project).app)))

    first, second = check(look), check(look)
    """


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": ""})
        yield folder


def told(shop: ProjectFolder) -> list[str]:
    messages = run_checks(shop.load(), deploy=True, tags=["web"])
    return [str(message).replace(f"{shop.path}/", "") for message in messages]


def test_a_module_that_fails_is_imported_once_in_a_run(shop: ProjectFolder) -> None:
    imports = shop.path / "imports"
    shop.write(
        {
            "shop/asgi.py": f"""
                with open({str(imports)!r}, "a") as file:
                    file.write("x")
                app = nothing
                """
        }
    )
    for runs in (1, 2):
        (line,) = told(shop)
        assert "[core.E003] shop/asgi.py:3:" in line
        assert imports.read_text() == "x" * runs


def test_all_checks_of_a_run_look_at_one_application(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]',
            "shop/orders/checks.py": LOOKING,
        }
    )
    first, second = run_checks(shop.load())
    assert first.text == second.text
    project = shop.load()
    assert served(project).app is not served(project).app  # outside a run nothing is kept


def test_error_formats_that_clash_are_told_without_a_module_that_makes_the_application(
    shop: ProjectFolder,
) -> None:
    shop.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.orders", "shop.depot"]',
            "shop/orders/errors.py": FORMAT,
            "shop/depot/errors.py": FORMAT,
        }
    )
    (line,) = told(shop)
    assert line.startswith("error [core.E003] shop/depot/errors.py:3: [web.E032] two error formats")
