"""The example project keeps to the schema that it publishes, whatever it is sent."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commanding import python, start
from tests.example import copy_example
from tests.processes import fetch, free_port, run, wait_until

from .site import PRODUCTION, Site
from .wire import ask

# Both are about what the project means by it, and not about the schema: a password that breaks the
# rules is refused; and the answer to a wrong method names, as FastAPI has it, the methods of the
# first route of a path.
LEFT_OUT = "positive_data_acceptance,allow_header_conformance"
LONG_DEADLINE_S = 1800
ENVIRONMENT = {
    **PRODUCTION,
    "FASTFORGE_LOG_FORMAT": "json",
    "SECRET_KEY": secrets.token_urlsafe(48),
}
ADA = {"username": "ada", "email": "ada@conduit.test", "password": "weaving-4-patterns"}
JSON = ["Content-Type: application/json"]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The example on SQLite, served as in production; `openapi.json` is beside its folder."""
    path = tmp_path_factory.mktemp("schema")
    folder = copy_example(path / "example")
    port = free_port()
    (path / "openapi.json").write_text(manage(folder, "openapi"))
    manage(folder, "migrate")
    argv = [sys.executable, "manage.py", "runserver", str(port), "--workers", "1"]
    with start(argv, cwd=folder, env=ENVIRONMENT) as process:
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/api/tags"), describe=process)
        yield Site(path, port, process)


@pytest.fixture(scope="module")
def token(example: Site) -> str:
    """The token of somebody who has registered."""
    body = json.dumps({"user": ADA}).encode()
    answer = ask(example.port, "POST", "/api/users", headers=JSON, body=body)
    assert answer.status == 201
    return str(answer.json["user"]["token"])


def manage(folder: Path, *arguments: str) -> str:
    done = python(["manage.py", *arguments], cwd=folder, env=ENVIRONMENT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def keeps_to_its_schema(example: Site, *options: str, deadline_s: float = 300) -> None:
    argv = [
        *(sys.executable, "-m", "schemathesis.cli", "run", "openapi.json"),
        *("--url", f"http://127.0.0.1:{example.port}", "--no-color", "--continue-on-failure"),
        *("--checks", "all", "--exclude-checks", LEFT_OUT, *options),
    ]
    done = run(argv, cwd=example.path, deadline_s=deadline_s)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "22 selected / 22 total" in done.stdout
    assert "Traceback" not in example.process.output, example.process.output
    assert not [line for line in example.lines if line["status_code"] >= 500]


QUICK = ("--generation-deterministic", "--max-examples", "5")


def statuses(example: Site, method: str, path: str) -> set[int]:
    lines = [line for line in example.lines if (line["method"], line["path"]) == (method, path)]
    return {line["status_code"] for line in lines}


def test_the_example_keeps_to_its_schema_for_those_who_are_nobody(example: Site) -> None:
    keeps_to_its_schema(example, *QUICK, "--phases", "fuzzing")
    assert statuses(example, "GET", "/api/user") == {401}
    assert 201 not in statuses(example, "POST", "/api/articles")


def test_the_example_keeps_to_its_schema_for_those_who_have_logged_in(
    example: Site, token: str
) -> None:
    header = ("--header", f"Authorization: Token {token}")
    keeps_to_its_schema(example, *QUICK, *header, "--phases", "coverage,fuzzing")
    assert 200 in statuses(example, "GET", "/api/user")
    assert 200 in statuses(example, "PUT", "/api/user")
    assert 201 in statuses(example, "POST", "/api/articles")


@pytest.mark.long
@pytest.mark.parametrize(("who", "seed"), [("nobody", "1"), ("a member", "1"), ("a member", "2")])
def test_the_example_keeps_to_its_schema_whatever_it_is_sent(
    example: Site, token: str, who: str, seed: str
) -> None:
    keeps_to_its_schema(
        example,
        *("--seed", seed, "--max-examples", "400", "--generation-database", "none"),
        *(("--header", f"Authorization: Token {token}") if who == "a member" else ()),
        deadline_s=LONG_DEADLINE_S,
    )
