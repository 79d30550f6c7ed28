"""Commands: the command line called in this process, on a given project."""

from __future__ import annotations

import io
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass

from ..management.cli import run
from ..observability.tracebacks import TRACEBACK_VARIABLE
from ..project import Project

__all__ = ["Result", "run_command"]


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
    """
    output, error = io.StringIO(), io.StringIO()
    codes: list[int] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            codes.append(run(arguments, program="manage", project=project))
        except SystemExit as end:
            codes.append(end.code if isinstance(end.code, int) else int(end.code is not None))
        except BaseException as failure:
            failures.append(failure)

    with redirect_stdout(output), redirect_stderr(error), _process_kept():
        thread = threading.Thread(target=work, name=f"manage {' '.join(arguments)}", daemon=True)
        thread.start()
        thread.join()
    if failures:
        raise failures[0]
    return Result(exit_code=codes[0], output=output.getvalue(), error=error.getvalue())


@contextmanager
def _process_kept() -> Iterator[None]:
    """Take back what a command does to its process: log handlers, and what `--traceback` sets."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    traceback = os.environ.get(TRACEBACK_VARIABLE)
    try:
        yield
    finally:
        # Its handlers write to what this call has captured.
        root.handlers[:] = handlers
        root.setLevel(level)
        os.environ.pop(TRACEBACK_VARIABLE, None)
        if traceback is not None:
            os.environ[TRACEBACK_VARIABLE] = traceback
