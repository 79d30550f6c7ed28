"""Running: one command from its typed arguments to its exit code."""

from __future__ import annotations

import signal
from collections.abc import Coroutine, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..commands import Command, Context
from ..exceptions import CommandError, Location
from ..signals import heard_signals
from .invocation import Invocation
from .parameters import Form

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["Interrupted", "run_async", "run_command"]

T = TypeVar("T")


class Interrupted(Exception):
    """A signal ended the command; its exit code is the one that a shell would show."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


def run_command(
    command: Command, form: Form, invocation: Invocation, given: Mapping[str, Any]
) -> int:
    """Run a command and return its exit code.

    Args:
        command: The command.
        form: How its function is called.
        invocation: What stood before the command.
        given: The values that were typed.

    Raises:
        Interrupted: SIGINT or SIGTERM ended it; everything has been closed.
        Exception: Whatever the command raised.
    """
    project = None if command.starts == "nothing" else invocation.project()
    with nullcontext() if project is None else _logging_of(project):
        if project is not None and command.starts == "resources":
            return _exit_code(run_async(_with_resources(form, project, invocation, given)), command)
        arguments, named = form.bind(given, _context(invocation, project))
        result = command.function(*arguments, **named)
        return _exit_code(run_async(result) if command.is_async else result, command)


def _logging_of(project: Project) -> AbstractContextManager[None]:
    from ..observability.logging.projects import project_logging

    return project_logging(project.settings, "command")


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; the first SIGINT or SIGTERM cancels it, the second kills.

    Raises:
        Interrupted: It was cancelled so.
    """
    import asyncio  # a command without it has no time for it: the development server

    return asyncio.run(_until_signal(work))


async def _until_signal(work: Coroutine[Any, Any, T]) -> T:
    import asyncio

    received: list[int] = []
    task = asyncio.current_task()

    def stop(number: int) -> None:
        received.append(number)
        if task is not None:
            task.cancel()

    with heard_signals(stop, once=True):
        try:
            return await work
        except asyncio.CancelledError:
            if received:
                raise Interrupted(received[0]) from None
            raise


async def _with_resources(
    form: Form, project: Project, invocation: Invocation, given: Mapping[str, Any]
) -> Any:
    from ..lifecycle import Role, execute
    from ..observability.context import new_request_id, request_id

    # Whatever it enqueues, calls and logs can be found under one id.
    request_id.set(new_request_id())
    assert form.plan is not None
    async with project.running(Role.COMMAND) as container:
        arguments, named = form.bind(given, _context(invocation, project, container))
        async with execute(container, form.plan) as injected:
            return await form.function(*arguments, **named, **injected)


def _context(invocation: Invocation, project: Project | None, container: Any = None) -> Context:
    return Context(
        settings_module=invocation.settings_module,
        project=project,
        container=container,
        echo=click.echo,
        load=invocation.project,
    )


def _exit_code(result: object, command: Command) -> int:
    if result is None:
        return 0
    if isinstance(result, int) and not isinstance(result, bool):
        return result
    raise CommandError(
        f"{command.function.__name__} returned {type(result).__name__}, which is no exit code",
        code="management.E008",
        hint="return None or an int",
        where=Location.of(command.function),
    )
