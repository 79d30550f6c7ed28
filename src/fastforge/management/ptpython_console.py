"""PtpythonConsole: ptpython with `await` on the loop of a live project."""

from __future__ import annotations

from typing import Any

from ptpython.repl import PythonRepl

from .console import evaluate
from .live import LiveProject

__all__ = ["PtpythonConsole"]


class PtpythonConsole(PythonRepl):
    """ptpython's console; what is typed is evaluated by a live project.

    Args:
        namespace: The names at hand.
        live: What is awaited on.
        history_filename: Where the history is kept, if it is.
    """

    def __init__(
        self, namespace: dict[str, Any], live: LiveProject, *, history_filename: str | None
    ) -> None:
        super().__init__(get_globals=lambda: namespace, history_filename=history_filename)
        self._live = live

    def eval(self, line: str) -> object:
        """Evaluate what was typed; ptpython's own way to await needs a loop in this thread."""
        if line.lstrip().startswith("!"):
            return super().eval(line)
        try:
            compiled = self._compile_with_flags(line, "eval")
        except SyntaxError:
            evaluate(self._compile_with_flags(line, "exec"), self.get_globals(), self._live)
            return None
        result: object = evaluate(compiled, self.get_globals(), self._live)
        self._store_eval_result(result)
        return result
