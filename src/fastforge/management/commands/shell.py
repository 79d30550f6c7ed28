"""Open a Python shell with the project running in it.

Resources are open, models and tasks are at hand, and `await` works. Without a terminal the code
is read from standard input.
"""

from __future__ import annotations

import sys
from typing import Annotated, Literal

from ...commands import Context, command

__all__ = ["shell"]


@command(starts="project")
def shell(
    *,
    c: Annotated[str | None, "Run this code and end."] = None,
    interface: Annotated[
        Literal["plain", "ipython", "ptpython"] | None,
        "The console; the first of ipython, ptpython and plain that is installed unless given.",
    ] = None,
    context: Context,
) -> int:
    """Open the resources, run what is given or typed, and close them in order."""
    from ..console import run_code
    from ..ending import heard_ending
    from ..interfaces import chosen_interface
    from ..live import LiveProject
    from ..namespace import namespace_and_banner

    start = chosen_interface(interface)
    source = sys.stdin.read() if c is None and not sys.stdin.isatty() else c
    with heard_ending() as ending:
        with LiveProject(context.project) as live:
            names, banner = namespace_and_banner(context.project, live)
            if source is not None:
                return live.context.run(run_code, source, names, live)
            live.context.run(start, names, live, ending, banner)
        return ending.exit_code
