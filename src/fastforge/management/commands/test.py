"""Run the project's tests with pytest.

All arguments are pytest's own, for example: test -k orders -x
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated

from ...commands import Context, command
from ...conf import find_settings_module, make_importable
from ...exceptions import CommandError

__all__ = ["run_tests"]


@command(starts="nothing", forwards=True)
def run_tests(
    arguments: Annotated[tuple[str, ...], "What pytest is given."] = (), /, *, context: Context
) -> None:
    """Replace this process by pytest in the environment `test`; its exit code is pytest's."""
    if importlib.util.find_spec("pytest") is None:
        raise CommandError(
            "pytest is not installed",
            code="management.E021",
            hint="install it with: pip install pytest",
        )
    # A process of its own, so that nothing is imported before pytest: it rewrites assertions.
    command_line = [sys.executable, "-m", "pytest", *arguments]
    environment = os.environ | _environment(context.settings_module)
    sys.stdout.flush()
    os.execve(sys.executable, command_line, environment)


def _environment(settings_module: str | None) -> dict[str, str]:
    """Return the variables by which the tests find the settings, in the environment `test`.

    Raises:
        SettingsError: Nothing says which project is meant.
    """
    before = [*sys.path]
    make_importable(Path.cwd())
    added = [path for path in sys.path if path not in before]
    inherited = os.environ.get("PYTHONPATH", "")
    module = settings_module or find_settings_module(Path.cwd(), os.environ)[0]
    return {
        "FASTFORGE_ENV": "test",
        "FASTFORGE_SETTINGS_MODULE": module,
        "PYTHONPATH": os.pathsep.join(filter(None, [*added, inherited])),
    }
