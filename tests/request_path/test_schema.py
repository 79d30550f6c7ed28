"""The example project keeps to the schema that it publishes, whatever it is sent."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commanding import python
from tests.processes import ROOT, fetch, free_port, run, start, wait_until

from .site import PRODUCTION, Site
from .wire import ask

# Both are about what the project means by it, and not about the schema: an article of an author
# whom nobody has registered is refused; and the answer to a wrong method names, as FastAPI has it,
# the methods of the first route of a path.
LEFT_OUT = "positive_data_acceptance,allow_header_conformance"
LONG_DEADLINE_S = 1800


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The example on SQLite, served as in production; `openapi.json` is beside its folder."""
    path = tmp_path_factory.mktemp("schema")
    folder = path / "example"
    ignored = shutil.ignore_patterns("__pycache__", "*.sqlite3*", ".env")
    shutil.copytree(ROOT / "example_project", folder, ignore=ignored)
    port = free_port()
    write_schema(path, manage(folder, "openapi"))
    manage(folder, "migrate")
    argv = [sys.executable, "manage.py", "runserver", str(port), "--workers", "1"]
    with start(argv, cwd=folder, env=PRODUCTION) as process:
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/api/tags"), describe=process)
        user = json.dumps({"user": {"username": "ada", "email": "ada@example.com"}}).encode()
        headers = ["Content-Type: application/json"]
        assert ask(port, "POST", "/api/users", headers=headers, body=user).status == 201
        yield Site(path, port, process)


def manage(folder: Path, *arguments: str) -> str:
    done = python(["manage.py", *arguments], cwd=folder, env=PRODUCTION)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write_schema(path: Path, text: str) -> None:
    """Write what the example publishes, with authors of whom one exists: else none has articles."""
    schema = json.loads(text)
    article = schema["components"]["schemas"]["NewArticle"]
    article["properties"]["author"] = {"enum": ["ada", "nobody"]}
    (path / "openapi.json").write_text(json.dumps(schema))


def keeps_to_its_schema(example: Site, *options: str, deadline_s: float = 300) -> None:
    argv = [
        *(sys.executable, "-m", "schemathesis.cli", "run", "openapi.json"),
        *("--url", f"http://127.0.0.1:{example.port}", "--no-color", "--continue-on-failure"),
        *("--checks", "all", "--exclude-checks", LEFT_OUT, *options),
    ]
    done = run(argv, cwd=example.path, deadline_s=deadline_s)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 selected / 6 total" in done.stdout
    assert "Traceback" not in example.process.output, example.process.output
    assert not [line for line in example.lines if line["status_code"] >= 500]
    assert example.get("/api/articles").json["articlesCount"] > 1, "no article was accepted"


def test_the_example_keeps_to_its_schema(example: Site) -> None:
    keeps_to_its_schema(
        example,
        *("--phases", "coverage,fuzzing", "--generation-deterministic", "--max-examples", "5"),
    )


@pytest.mark.long
@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_example_keeps_to_its_schema_whatever_it_is_sent(example: Site, seed: str) -> None:
    keeps_to_its_schema(
        example,
        *("--seed", seed, "--max-examples", "400", "--generation-database", "none"),
        deadline_s=LONG_DEADLINE_S,
    )
