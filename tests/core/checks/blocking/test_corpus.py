"""Blocking calls are found in every form that code has, and nothing else is."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from fastforge.core.checks.blocking.evaluation import Reader
from fastforge.core.checks.blocking.finding import messages_of
from fastforge.core.checks.blocking.sources import Sources
from fastforge.core.checks.source import AppModule, read_module
from tests.source import PACKAGE, ROOT

CORPUS = Path(__file__).parent / "corpus"

# What the framework's own code does on purpose on the event loop. Left out: chaos, which has a
# process to itself, and what helps tests.
OURS = {
    "contrib/db/inspection/inspecting.py": "a command's process: whether a file is there",
    "contrib/db/migrations/lock.py": "a command's process: the lock beside a SQLite file",
    "contrib/jobs/wakeup.py": "15 us, and a thread would cost more",
    "observability/watchdog/running.py": "the end of a process: its thread is woken and leaves",
    "server/child.py": "a line into a pipe, which never waits",
    "tasks/isolation/serving.py": "a process for one job at a time, and nothing beside it",
    "tasks/enqueuer.py": "a mistake: which line made it",
    "web/errors/handlers.py": "a mistake: which line made it",
    "web/welcome/facts.py": "the page of a new project, in development",
    "worker/child.py": "a line into a pipe, which never waits",
}


def found_in(modules: list[AppModule]) -> list[tuple[str, int, str]]:
    messages = messages_of(modules, Reader(Sources(modules).find))
    return [
        (message.where.file, message.where.line, message.id.removeprefix("blocking."))
        for message in messages
        if message.where is not None
    ]


def tree(folder: Path, package: str) -> list[AppModule]:
    modules = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        names = parts[:-1] if parts[-1] == "__init__" else parts
        modules.append(read_module(".".join((package, *names)), path))
    return [module for module in modules if module is not None]


@pytest.mark.parametrize("name", ["ruff", "caught", "fine"])
def test_what_is_marked_is_found_and_nothing_else(name: str) -> None:
    """`ruff`: the cases of which ruff's rules catch half. `fine`: whatever only looks like it."""
    path = CORPUS / f"{name}.txt"
    text = path.read_text()
    module = AppModule(name="shop.code", path=path, tree=ast.parse(text))
    expected = Counter(
        (number, mark)
        for number, line in enumerate(text.splitlines(), 1)
        for mark in re.findall(r"[EW]\d{3}", line.partition("#>")[2])
    )
    assert Counter((line, id_) for _, line, id_ in found_in([module])) == expected


def test_there_are_as_many_harmless_cases_as_others() -> None:
    def statements(name: str) -> int:
        tree = ast.parse((CORPUS / f"{name}.txt").read_text())
        return sum(isinstance(node, ast.Call) for node in ast.walk(tree))

    marks = sum(
        len(re.findall(r"[EW]\d{3}", line.partition("#>")[2]))
        for name in ("ruff", "caught")
        for line in (CORPUS / f"{name}.txt").read_text().splitlines()
    )
    assert statements("fine") >= marks > 100


def test_the_example_project_is_without_alarm() -> None:
    modules = tree(ROOT / "example_project" / "conduit", "conduit")
    assert len(modules) > 10
    assert found_in(modules) == []


@pytest.mark.long  # whoever changes the framework may add what is meant
def test_in_the_framework_only_what_is_meant_is_found() -> None:
    found = {
        str(Path(file).relative_to(PACKAGE)) for file, _, _ in found_in(tree(PACKAGE, "fastforge"))
    }
    aside = {file for file in found if file.startswith(("chaos/", "contrib/db/testing/", "test/"))}
    assert found - aside == set(OURS)
