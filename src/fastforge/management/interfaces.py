"""Interfaces: the consoles that `manage shell` can be, each awaiting on the project's loop."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ..exceptions import CommandError
from .console import run_plain
from .ending import Ending
from .live import LiveProject

__all__ = ["INTERFACES", "Interface", "chosen_interface"]

Interface = Callable[[dict[str, Any], LiveProject, Ending, str], None]
"""Starts a console with its names, what it awaits on, what may end it, and its first lines."""

PACKAGES: Final = MappingProxyType({"ipython": "IPython", "ptpython": "ptpython"})
"""What is imported for an interface that is not always there, the preferred one first."""


def chosen_interface(name: str | None) -> Interface:
    """Return how to start an interface; the best that is installed when none is named.

    Raises:
        CommandError: The one that is named is not installed.
    """
    if name is not None and name in PACKAGES and not _is_installed(name):
        raise CommandError(
            f"--interface {name}: {name} is not installed",
            code="management.E020",
            hint=f"install it with: pip install {name}",
        )
    return INTERFACES[name or next(filter(_is_installed, PACKAGES), "plain")]


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(PACKAGES[name]) is not None


def _plain(namespace: dict[str, Any], live: LiveProject, ending: Ending, banner: str) -> None:
    with ending.wakes_readline():
        run_plain(namespace, live, banner)


def _ipython(namespace: dict[str, Any], live: LiveProject, ending: Ending, banner: str) -> None:
    """Run IPython with the user's own configuration and history."""
    from IPython.terminal.ipapp import TerminalIPythonApp
    from traitlets.config import Config

    config = Config()
    config.TerminalInteractiveShell.banner1 = f"{banner}\n"
    config.TerminalInteractiveShell.enable_tip = False
    config.TerminalInteractiveShell.confirm_exit = False
    app: Any = TerminalIPythonApp.instance(user_ns=namespace, config=config)
    app.initialize([])
    shell = app.shell
    shell.loop_runner = live.run

    def show_cancelled(shell: Any, *error: Any, **_: Any) -> None:
        if live.is_interrupted:
            print("\nKeyboardInterrupt", file=sys.stderr)  # noqa: T201
        else:
            shell.showtraceback(error)

    def end(_result: Any) -> None:
        if ending.number:  # the signal came while a cell ran, which IPython carries on after
            shell.ask_exit()

    shell.set_custom_exc((asyncio.CancelledError,), show_cancelled)
    shell.events.register("post_run_cell", end)
    if shell.pt_app is not None:  # a terminal that can do nothing has a plain prompt
        ending.wakes(shell.pt_app.app)
    app.start()


def _ptpython(namespace: dict[str, Any], live: LiveProject, ending: Ending, banner: str) -> None:
    """Run ptpython with the user's own configuration and history."""
    from ptpython.repl import run_config

    from .ptpython_console import PtpythonConsole

    print(banner)  # noqa: T201
    console = PtpythonConsole(namespace, live, history_filename=_ptpython_history())
    console.confirm_exit = False
    run_config(console)
    ending.wakes(console.app)
    console.run()


def _ptpython_history() -> str | None:
    """Return the file that ptpython's own program uses, when it can be written."""
    import appdirs  # type: ignore[import-untyped]  # ptpython brings it

    folder = Path(appdirs.user_data_dir("ptpython", "prompt_toolkit"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return str(folder / "history") if os.access(folder, os.W_OK) else None


INTERFACES: Final[Mapping[str, Interface]] = MappingProxyType(
    {"ipython": _ipython, "ptpython": _ptpython, "plain": _plain}
)
"""How each interface is started."""
