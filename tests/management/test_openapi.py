"""`openapi` prints, writes and compares what the application says of itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.folder import ProjectFolder
from tests.processes import run

from .conftest import Shell

ROUTES = """
    from typing import Annotated
    from fastapi import APIRouter, Query

    router = APIRouter(prefix="/notes")

    @router.put("/all")
    async def change(title: str = "ä") -> int:
        return 1

    @router.delete("/all", tags=["b", "a"], responses={409: {}, 404: {}})
    async def remove(note: Annotated[int | str, Query()] = 1) -> set[int]:
        return {1}
    """
CLOSED = """
    from collections.abc import AsyncIterator
    from fastforge import resource

    @resource
    async def desk() -> AsyncIterator[None]:
        raise RuntimeError("opened")
        yield
    """


@pytest.fixture
def served(shop: ProjectFolder) -> ProjectFolder:
    """A project with a route, and with a resource that must not be opened."""
    shop.write({"shop/notes/routes.py": ROUTES, "shop/notes/resources.py": CLOSED})
    return shop


def test_the_document_is_printed_with_sorted_keys(served: ProjectFolder, manage: Shell) -> None:
    result = manage("openapi")
    document = json.loads(result.out)
    assert (result.code, result.err) == (0, "")
    assert result.out == json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert list(document["paths"]["/notes/all"]) == ["delete", "put"]


def test_a_file_that_says_the_same_is_right_however_it_is_written(
    served: ProjectFolder, manage: Shell, nowhere: Path
) -> None:
    assert manage("openapi", "--output", "api.json").out == "wrote api.json\n"
    assert manage("openapi", "--check", "api.json").code == 0
    file = nowhere / "api.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8"))))
    assert (manage("openapi", "--check", "api.json").out, file.read_text()[:2]) == ("", '{"')


def test_a_file_that_says_something_else_is_compared(
    served: ProjectFolder, manage: Shell, nowhere: Path
) -> None:
    manage("openapi", "--output", "api.json")
    file = nowhere / "api.json"
    file.write_text(file.read_text(encoding="utf-8").replace("/notes/all", "/notes/some"))
    result = manage("openapi", "--check", "api.json")
    assert result.code == 1
    assert result.out.startswith("--- api.json\n+++ the application\n@@ ")
    assert '-    "/notes/some": {\n+    "/notes/all": {\n' in result.out
    file.write_text("{}")
    lines = manage("openapi", "--check", "api.json").out.splitlines()
    assert len(lines) == 61
    assert lines[-1].endswith(" lines more; openapi --output api.json writes all")


def test_it_is_the_same_in_every_process(served: ProjectFolder, nowhere: Path) -> None:
    argv = [sys.executable, "-m", "fastforge", "openapi"]
    texts = {
        run(argv, cwd=nowhere, env={"FASTFORGE_ENV": "test", "PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1
    assert "/notes/all" in texts.pop()


def test_an_entrypoint_that_is_no_application_is_told(shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/asgi.py": "app = print"})
    result = manage("openapi")
    assert result.code == 2
    assert result.err.startswith(
        "error: [management.E022] shop.asgi:app is a builtin_function_or_method,"
        " no FastAPI application;"
    )
