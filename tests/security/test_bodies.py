"""JSON that is nested however deeply is a mistake of the client, and fails nothing here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fastforge.asgi import get_asgi_application
from tests.folder import isolated


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    app = FastAPI()

    @app.post("/orders")
    async def place(order: dict[str, Any]) -> int:
        return len(order)

    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": ""})
        served = get_asgi_application(folder.load(), app=app)
        with TestClient(served, raise_server_exceptions=False) as client:
            yield client


@pytest.mark.parametrize("depth", [500, 900, *range(940, 1000, 7), 1001, 100_000])
@pytest.mark.parametrize(("begin", "end"), [('{"a":', "}"), ("[", "]")])
def test_a_body_is_taken_or_refused_whatever_its_depth(
    client: TestClient, depth: int, begin: str, end: str
) -> None:
    body = f'{{"order":{begin * depth}1{end * depth}}}'
    answer = client.post("/orders", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in ({200, 400} if depth < 1001 else {400}), answer.text
    if answer.status_code == 400:
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000, '{"a": "' + "\\u0000" * 9])
def test_a_body_that_does_not_end_is_refused(client: TestClient, body: str) -> None:
    answer = client.post("/orders", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text
