"""The example project, driven as a user drives it: by its command line and over a socket."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from fastforge.asgi import get_asgi_application
from tests.commanding import python, start
from tests.example import copy_example, imported_example
from tests.processes import fetch, free_port, wait_until

ARTICLE = {
    "title": "Notes on the Engine",
    "description": "What it can do",
    "body": "It weaves algebraic patterns.",
    "tagList": ["engines", "algebra", "engines"],
}
USER = {"username": "ada", "email": "ada@example.com", "password": "weaving-4-patterns"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example with a migrated database of its own."""
    folder = copy_example(tmp_path / "example")
    manage(folder, "migrate")
    return folder


def manage(folder: Path, *arguments: str) -> str:
    env = {"FASTFORGE_ENV": "development"}
    done = python(["manage.py", *arguments], cwd=folder, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def send(url: str, body: object, token: str = "") -> tuple[int, Any]:
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Token {token}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_an_article_is_published_announced_and_counted(folder: Path) -> None:
    port = free_port()
    api = f"http://127.0.0.1:{port}/api"
    server = start(
        [sys.executable, "manage.py", "runserver", str(port), "--no-reload", "--no-worker"],
        cwd=folder,
        env={"FASTFORGE_ENV": "development"},
    )
    with server:
        wait_until(lambda: fetch(f"{api}/tags"), describe=server)
        status, registered = send(f"{api}/users", {"user": USER})
        assert status == 201
        token = registered["user"]["token"]
        assert send(f"{api}/users", {"user": USER})[0] == 409
        status, made = send(f"{api}/articles", {"article": ARTICLE}, token)
        assert status == 201
        assert made["article"]["tagList"] == ["engines", "algebra"]
        assert made["article"]["author"]["username"] == "ada"
        status, refused = send(f"{api}/articles", {"article": ARTICLE})
        assert (status, list(refused)) == (401, ["errors"])

        shown = fetch(f"{api}/articles/{made['article']['slug']}")
        assert shown is not None
        assert json.loads(shown.body)["article"]["body"] == ARTICLE["body"]
        listed = fetch(f"{api}/articles?tag=algebra&author=ada")
        assert listed is not None
        assert json.loads(listed.body)["articlesCount"] == 1
        assert "body" not in json.loads(listed.body)["articles"][0]
        tags = fetch(f"{api}/tags")
        assert tags is not None
        assert json.loads(tags.body) == {"tags": ["algebra", "engines"]}
        missing = fetch(f"{api}/articles/no-such")
        assert missing is not None
        assert missing.status == 404

    assert "announced         0\n" in manage(folder, "statistics")
    manage(folder, "runworker", "--burst")
    assert "announced         1\n" in manage(folder, "statistics")


def test_a_page_of_articles_costs_three_queries_whatever_its_size(
    folder: Path, statements: list[str]
) -> None:
    with imported_example(folder) as load:
        project = load("sqlite+aiosqlite:///db.sqlite3")
        with TestClient(get_asgi_application(project)) as client:
            token = client.post("/api/users", json={"user": USER}).json()["user"]["token"]
            client.headers["authorization"] = f"Token {token}"
            for _ in range(12):
                assert client.post("/api/articles", json={"article": ARTICLE}).status_code == 201
            del client.headers["authorization"]
            for limit in (1, 10):
                statements.clear()
                page = client.get("/api/articles", params={"limit": limit}).json()
                assert (len(page["articles"]), page["articlesCount"]) == (limit, 12)
                assert len(statements) == 3, statements


def test_every_error_below_its_api_has_the_form_of_realworld(folder: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server = start(
        [sys.executable, "manage.py", "runserver", str(port), "--no-reload", "--no-worker"],
        cwd=folder,
        env={"FASTFORGE_ENV": "development"},
    )
    with server, httpx.Client(base_url=url, timeout=60) as client:
        wait_until(lambda: fetch(f"{url}/api/tags"), describe=server)
        client.post("/api/users", json={"user": USER})
        wrong = client.get("/api/articles", params={"limit": "many", "offset": -1})
        answers = {
            400: client.get("/api/tags", headers={"host": "elsewhere.example"}),
            404: client.get("/api/articles/no-such"),
            405: client.delete("/api/tags"),
            409: client.post("/api/users", json={"user": USER}),
            413: client.post("/api/users", content=b"x" * (2 << 20)),
            422: wrong,
        }
        unmatched, outside = client.get("/api/no/such"), client.get("/no/such")
        document = client.get("/openapi.json").json()
    for status, answer in answers.items():
        assert (answer.status_code, list(answer.json())) == (status, ["errors"])
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-request-id"]
    assert wrong.json()["errors"]["body"] == [
        "limit: Input should be a valid integer, unable to parse string as an integer",
        "offset: Input should be greater than or equal to 0",
    ]
    assert unmatched.json() == {"errors": {"body": ["Not Found"]}}
    assert outside.json()["title"] == "Not Found"

    content = {"application/json": {"schema": {"$ref": "#/components/schemas/GenericErrorModel"}}}
    for operations in document["paths"].values():
        for operation in operations.values():
            found = operation["responses"]
            assert found["default"]["content"] == content
            assert found.get("422", found["default"])["content"] == content
    assert document["components"]["schemas"]["GenericErrorModel"]["required"] == ["errors"]


def test_its_settings_its_checks_and_its_migrations_are_in_order(folder: Path) -> None:
    assert manage(folder, "check").strip()
    assert manage(folder, "makemigrations", "--check")
    example = manage(folder, "settings", "--env-example")
    assert (folder / ".env.example").read_text() == example
