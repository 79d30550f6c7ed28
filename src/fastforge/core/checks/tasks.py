"""Jobs that would never run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...checks import Level, Message, check
from ...exceptions import Location
from ...tasks import Task
from ...tasks.arguments import arguments_of
from ...tasks.backend import backend_hint
from ...tasks.kinds import TASK_BACKENDS, TASKS
from ...tasks.settings import Tasks
from .source import AppModule, own_modules

if TYPE_CHECKING:
    from ...project import Project

__all__ = [
    "defaults_are_json",
    "enqueue_is_awaited",
    "jobs_outlive_a_process",
    "tasks_have_a_backend",
]

_VERBS = ("enqueue", "enqueue_many")


@check(tags={"tasks"})
def tasks_have_a_backend(project: Project) -> Iterator[Message]:
    """Find tasks that can be enqueued nowhere."""
    name = project.settings.section(Tasks).backend
    backends = {backend.name for backend in project.registry.values(TASK_BACKENDS)}
    for component in project.registry.components(TASKS)[:1]:
        if name not in backends:
            yield Message(
                id="tasks.E020",
                level=Level.ERROR,
                text=f"the project has tasks, but no installed app declares the backend {name!r}",
                hint=backend_hint(name),
                where=project.settings.where("TASKS") or component.location,
            )


@check(tags={"tasks"}, deploy=True)
def jobs_outlive_a_process(project: Project) -> Iterator[Message]:
    """Find jobs that no worker ever sees, and that end with the process that enqueued them."""
    if project.settings.section(Tasks).backend == "memory" and project.registry.values(TASKS):
        yield Message(
            id="tasks.W002",
            level=Level.WARNING,
            text="TASKS.backend is 'memory': jobs are lost with the process that enqueues them, and"
            " `manage runworker` sees none of them",
            hint="leave backend out for jobs in the database",
            where=project.settings.where("TASKS"),
        )


@check(tags={"tasks"})
def defaults_are_json(project: Project) -> Iterator[Message]:
    """Find defaults of arguments that nobody could enqueue: a mistake, or a mark."""
    for component in project.registry.components(TASKS):
        arguments = arguments_of(component.value.function)
        for name, reason in arguments.unwritable.items():
            yield Message(
                id="tasks.W001",
                level=Level.WARNING,
                text=f"the default of {name} of the task {component.value.name} is no value that"
                f" can be enqueued: {reason}",
                hint="give a default that fits the annotation and can be written as JSON",
                where=arguments.where,
            )


@check(tags={"tasks", "async"})
def enqueue_is_awaited(project: Project) -> Iterator[Message]:
    """Find `ship.enqueue(...)` that nobody awaits: it makes a coroutine and no job."""
    for module in own_modules(project):
        for statement, may_await in _statements(module.tree):
            found = _unawaited(statement, module)
            if found is not None:
                name = ast.unparse(found.func)
                may_await = may_await or name.endswith(".enqueue_many")  # it has no other form
                cure = f"await {name}(...)" if may_await else f"{name}_sync(...)"
                yield Message(
                    id="tasks.E021",
                    level=Level.ERROR,
                    text=f"{name}(...) is not awaited: no job is made",
                    hint=f"write: {cure}",
                    where=Location(str(module.path), found.lineno),
                )


def _statements(tree: ast.AST, may_await: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Yield everything below a node, and whether `await` may stand there."""
    for node in ast.iter_child_nodes(tree):
        yield node, may_await
        inner = isinstance(node, ast.AsyncFunctionDef)
        yield from _statements(node, inner or (may_await and not isinstance(node, ast.FunctionDef)))


def _unawaited(statement: ast.AST, module: AppModule) -> ast.Call | None:
    """Return the call of a statement that is nothing but a task's `enqueue(...)`.

    Also behind `using(...)`.
    """
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return None
    call = statement.value
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _VERBS:
        return None
    loaded = sys.modules.get(module.name)
    sender = _before_using(call.func.value)
    return call if isinstance(_value(sender, vars(loaded or object)), Task) else None


def _before_using(expression: ast.expr) -> ast.expr:
    while (
        isinstance(expression, ast.Call)
        and isinstance(expression.func, ast.Attribute)
        and expression.func.attr == "using"
    ):
        expression = expression.func.value
    return expression


def _value(expression: ast.expr, names: Mapping[str, Any]) -> object:
    """Return what a dotted name means at the top level of a module; None for anything else."""
    if isinstance(expression, ast.Name):
        return names.get(expression.id)
    if isinstance(expression, ast.Attribute):
        return getattr(_value(expression.value, names), expression.attr, None)
    return None
