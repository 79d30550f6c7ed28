"""FastAPI's own pages work in a browser, whatever the settings tell it of the application's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.testclient import TestClient

from fastforge.asgi import get_asgi_application
from tests.folder import ProjectFolder, isolated

OPENER = "cross-origin-opener-policy"
CONTENT = "content-security-policy"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


def client_of(folder: ProjectFolder, settings: str = "", app: FastAPI | None = None) -> TestClient:
    folder.write({"shop/settings.py": f"from fastforge.web import Security\n{settings}"})
    return TestClient(get_asgi_application(folder.load(), app=app))


def test_whoever_logs_in_from_the_docs_comes_back_to_them(folder: ProjectFolder) -> None:
    """Under `same-origin` browsers cut the window on another site off, and what comes after it."""
    client = client_of(folder)
    assert client.get("/docs").headers[OPENER] == "same-origin-allow-popups"
    assert client.get("/docs/oauth2-redirect").headers[OPENER] == "unsafe-none"
    for path in ("/redoc", "/openapi.json", "/nowhere"):
        assert client.get(path).headers.get_list(OPENER) == ["same-origin"]


def test_pages_load_what_they_are_made_of(folder: ProjectFolder) -> None:
    client = client_of(folder, 'SECURITY = Security(content_security_policy="default-src none")')
    for path in ("/docs", "/redoc", "/docs/oauth2-redirect"):
        assert client.get(path).headers.get_list(CONTENT) == ["frame-ancestors 'none'"]
    for path in ("/openapi.json", "/nowhere"):
        assert client.get(path).headers[CONTENT] == "default-src none"


def test_what_the_settings_leave_out_is_left_out(folder: ProjectFolder) -> None:
    client = client_of(folder, 'SECURITY = Security(opener_policy="")')
    answer = client.get("/docs")
    assert answer.status_code == 200
    assert not {OPENER, CONTENT} & set(answer.headers)


def test_pages_elsewhere_and_pages_of_ones_own(folder: ProjectFolder) -> None:
    app = FastAPI(docs_url="/about", redoc_url=None)

    @app.get("/docs", response_class=HTMLResponse)
    async def docs() -> str:
        return "mine"

    client = client_of(folder, app=app)
    assert client.get("/about").headers[OPENER] == "same-origin-allow-popups"
    assert client.get("/docs").headers[OPENER] == "same-origin"
