"""Console: code with `await` that is typed or given, run against a live project."""

from __future__ import annotations

import ast
import code
import inspect
import linecache
import os
import sys
import traceback
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any, Final

from .live import LiveProject

__all__ = ["PlainConsole", "evaluate", "run_code", "run_plain"]

FAILED_EXIT_CODE: Final = 1
GIVEN: Final = "<shell>"
"""The file's name of code that was not typed, in tracebacks."""


def evaluate(compiled: CodeType, namespace: dict[str, Any], live: LiveProject) -> Any:
    """Run compiled code: on the project's loop when it awaits, else here."""
    result = eval(compiled, namespace)
    return live.run(result) if compiled.co_flags & inspect.CO_COROUTINE else result


def run_code(source: str, namespace: dict[str, Any], live: LiveProject) -> int:
    """Run code that was given as a whole and return the exit code.

    An exception is written as Python writes it, from the code's own first line on.

    Raises:
        SystemExit: The code ends the process.
        KeyboardInterrupt: Ctrl-C.
    """
    linecache.cache[GIVEN] = (len(source), None, source.splitlines(keepends=True), GIVEN)
    try:
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        compiled = compile(source, GIVEN, "exec", flags=flags, dont_inherit=True)
        evaluate(compiled, namespace, live)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        sys.stdout.flush()
        sys.stderr.write(_told(error, GIVEN))
        live.failed = True
        return FAILED_EXIT_CODE
    return 0


class PlainConsole(code.InteractiveConsole):
    """The standard library's console, with `await`."""

    def __init__(self, namespace: dict[str, Any], live: LiveProject) -> None:
        super().__init__(namespace)
        self._live = live
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

    def runcode(self, code: CodeType) -> None:
        """Run one statement; its exception is written, Ctrl-C and `exit()` go to the console."""
        try:
            evaluate(code, self.locals, self._live)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            sys.last_type, sys.last_value = type(error), error
            sys.last_traceback = _own(error.__traceback__, self.filename)
            self.write(_told(error, self.filename))


def run_plain(namespace: dict[str, Any], live: LiveProject, banner: str) -> None:
    """Read and run until Ctrl-D or `exit()`, with completion and history where readline is."""
    history = _read_history(namespace)
    try:
        PlainConsole(namespace, live).interact(banner=banner, exitmsg="")
    finally:
        if history is not None:
            _write_history(history)


def _own(place: TracebackType | None, file: str) -> TracebackType | None:
    """Return a traceback from the first line of a file on; ours stand before it."""
    while place is not None and place.tb_frame.f_code.co_filename != file:
        place = place.tb_next
    return place


def _told(error: BaseException, file: str) -> str:
    return "".join(traceback.format_exception(type(error), error, _own(error.__traceback__, file)))


def _read_history(namespace: dict[str, Any]) -> Path | None:
    try:
        import readline
        import rlcompleter
    except ImportError:  # a Python that was built without it
        return None
    readline.set_completer(rlcompleter.Completer(namespace).complete)
    readline.parse_and_bind("tab: complete")
    # What Python's own console reads and writes, from 3.13 on wherever the variable says.
    file = Path(os.environ.get("PYTHON_HISTORY") or os.path.expanduser("~/.python_history"))
    try:
        readline.read_history_file(file)
    except FileNotFoundError:
        pass
    except OSError:
        return None
    return file


def _write_history(file: Path) -> None:
    import readline

    try:
        readline.write_history_file(file)
    except OSError:  # nobody's home, or one that may not be written to: there is no history then
        return
