"""Commands: the command line called in this process, on a given project."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Final

from ..exceptions import CommandError
from ..management.cli import run
from ..observability.logging.process import logging_kept
from ..observability.tracebacks import TRACEBACK_VARIABLE
from ..project import Project

__all__ = ["Result", "run_command"]

OF_A_PROCESS: Final = frozenset({"dbshell", "runserver", "shell", "test"})
"""Commands that become another program, or that need signals: no thread of a test can run them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one call of the command line gave: its exit code and what it wrote."""

    exit_code: int
    output: str
    error: str


def run_command(project: Project, *arguments: str) -> Result:
    """Run a command of a project and return its exit code and what it wrote.

    ```python
    assert run_command(project, "migrate", "--check").exit_code == 0
    ```

    Surprises: the command runs in a thread and an event loop of its own, so that an async test may
    call it, and the test waits. It opens its own resources: what is in the memory of the test's
    application it does not see, the database it does.

    Args:
        project: The project, also one from `overriding`.
        arguments: What would be typed after `manage`.

    Raises:
        CommandError: It is one that becomes another program, or that serves until it is told to
            stop: `dbshell`, `runserver`, `shell`, `test`.
    """
    _refuse_those_of_a_process(arguments)
    output, error = io.StringIO(), io.StringIO()
    codes: list[int] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            codes.append(run(arguments, program="manage", project=project))
        except SystemExit as end:
            codes.append(end.code if isinstance(end.code, int) else int(end.code is not None))
            if isinstance(end.code, str):  # as Python itself does at the end of a process
                sys.stderr.write(f"{end.code}\n")
        except BaseException as failure:
            failures.append(failure)

    with redirect_stdout(output), redirect_stderr(error), _process_kept():
        thread = threading.Thread(target=work, name=f"manage {' '.join(arguments)}", daemon=True)
        thread.start()
        thread.join()
    if failures:
        raise failures[0]
    return Result(exit_code=codes[0], output=output.getvalue(), error=error.getvalue())


def _refuse_those_of_a_process(arguments: tuple[str, ...]) -> None:
    name = next((each for each in arguments if not each.startswith("-")), "")
    if name in OF_A_PROCESS and "--help" not in arguments:
        raise CommandError(
            f"`manage {name}` needs a process of its own, and a test has none to give",
            code="test.E003",
            hint="start one with subprocess; live_server gives a server",
        )


@contextmanager
def _process_kept() -> Iterator[None]:
    """Take back what a command does to its process: log handlers, and what `--traceback` sets."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    traceback = os.environ.get(TRACEBACK_VARIABLE)
    try:
        with logging_kept():
            yield
    finally:
        # Its handlers write to what this call has captured.
        root.handlers[:] = handlers
        root.setLevel(level)
        os.environ.pop(TRACEBACK_VARIABLE, None)
        if traceback is not None:
            os.environ[TRACEBACK_VARIABLE] = traceback
