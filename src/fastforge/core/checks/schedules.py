"""Schedules that would not do what somebody expects of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check
from ...exceptions import Location
from ...tasks.kinds import SCHEDULES
from ...tasks.schedules.zones import time_zone_of
from ...tasks.settings import Tasks
from .source import AppModule, own_modules

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["schedules_come_soon", "schedules_have_a_ledger", "schedules_have_names"]

A_YEAR: Final = timedelta(days=366)
DATE_HINT: Final = "correct the day and the month; L is the last day of each month"
PACKAGES: Final = frozenset({"fastforge", "fastforge.tasks"})
_MODULES: Final = (SCHEDULES.module, *SCHEDULES.also)


@check(tags={"tasks"})
def schedules_come_soon(project: Project) -> Iterator[Message]:
    """Find schedules that are never due, and those whose next run is more than a year away."""
    now = datetime.now(UTC)
    for component in project.registry.components(SCHEDULES):
        subject = f"the schedule {component.name!r}, {component.value.when}, is"
        due = component.value.next_after(now, time_zone=time_zone_of(project.settings))
        if due is None:
            yield Message(
                id="tasks.E061",
                level=Level.ERROR,
                text=f"{subject} never due",
                hint=DATE_HINT,
                where=component.location,
            )
        elif due - now > A_YEAR:
            yield Message(
                id="tasks.W050",
                level=Level.WARNING,
                text=f"{subject} due next on {due:%Y-%m-%d}, in more than a year",
                hint=DATE_HINT,
                where=component.location,
            )


@check(tags={"tasks"}, deploy=True)
def schedules_have_a_ledger(project: Project) -> Iterator[Message]:
    """Tell that schedules in memory know nothing of other processes, nor of a time before."""
    tasks, settings = project.settings.section(Tasks), project.settings
    for component in project.registry.components(SCHEDULES)[:1]:
        if tasks.backend == "memory" and settings.environment == "production":
            yield Message(
                id="tasks.W051",
                level=Level.WARNING,
                text='the project has schedules, and TASKS.backend is "memory": each process runs'
                " them for itself, and none catches up what it missed",
                hint='take backend="database"',
                where=settings.where("TASKS") or component.location,
            )


@check(tags={"tasks"})
def schedules_have_names(project: Project) -> Iterator[Message]:
    """Find `every(...)` at the top of a module where nobody finds what it returns."""
    searched = {f"{app.name}.{module}" for app in project.apps for module in _MODULES}
    for module in own_modules(project):
        parent = module.name.rpartition(".")[0]
        if _is_for_tests(module.name):
            continue
        is_searched = module.name in searched or parent in searched
        for call in _lost_calls(module, is_searched=is_searched):
            yield Message(
                id="tasks.E062",
                level=Level.ERROR,
                text=f"{ast.unparse(call.func)}(...) declares nothing: "
                + ("it has no name of its own" if is_searched else "nobody looks for it here"),
                hint="write `nightly = every(...)` at the top level of schedules.py or tasks.py",
                where=Location(str(module.path), call.lineno),
            )


def _is_for_tests(module: str) -> bool:
    last = module.rpartition(".")[2]
    return ".tests." in module or last.startswith("test_") or last == "conftest"


def _lost_calls(module: AppModule, *, is_searched: bool) -> Iterator[ast.Call]:
    names = set(_names_of_every(module.tree))
    if not names:
        return
    found = set(map(id, _named_values(module.tree.body))) if is_searched else set()
    for node in _run_at_import(module.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names and id(node) not in found:
            yield node


def _names_of_every(tree: ast.Module) -> Iterator[str]:
    """Yield by which names a module calls `every`."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module in PACKAGES and not node.level:
            yield from (each.asname or each.name for each in node.names if each.name == "every")
        elif isinstance(node, ast.Import):
            named = (each for each in node.names if each.name in PACKAGES)
            yield from (f"{each.asname or each.name}.every" for each in named)


def _named_values(body: list[ast.stmt]) -> Iterator[ast.expr]:
    """Yield what statements give a name to; not in loops, where one name is for several."""
    for statement in body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            yield statement.value
        elif isinstance(statement, ast.If | ast.Try | ast.With):
            for name in ("body", "orelse", "finalbody"):
                yield from _named_values(getattr(statement, name, []))
            for handler in getattr(statement, "handlers", ()):
                yield from _named_values(handler.body)


def _run_at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield everything below a node that is not in a function."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            yield from _run_at_import(node)
