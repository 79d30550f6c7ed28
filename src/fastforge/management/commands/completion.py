"""Print the script that completes commands, options and choices in a shell.

Without a name the shell is the one that SHELL names. In bash: eval "$(manage completion bash)".
"""

from __future__ import annotations

import os
from typing import Annotated, Final, Literal

from ...commands import Context, command
from ...exceptions import CommandError

__all__ = ["completion"]

SHELLS: Final = {
    # Only bash completes a program by its file's name wherever it lies: ./manage.py
    "bash": ("manage", "fastforge", "manage.py"),
    "zsh": ("manage", "fastforge"),
    "fish": ("manage", "fastforge"),
}


@command(starts="nothing")
def completion(
    shell: Annotated[
        Literal["bash", "zsh", "fish"] | None, "The shell; the one that SHELL names unless given."
    ] = None,
    /,
    *,
    context: Context,
) -> None:
    """Write the script to standard output: for `eval`, or for a file that the shell reads."""
    import click
    from click.shell_completion import get_completion_class

    name = shell or _own_shell()
    kind = get_completion_class(name)
    assert kind is not None  # click has all three
    for program in SHELLS[name]:
        variable = f"_{program.replace('.', '_')}_COMPLETE".upper()
        context.echo(kind(click.Command(program), {}, program, variable).source())


def _own_shell() -> str:
    path = os.environ.get("SHELL", "")
    name = os.path.basename(path)
    if name not in SHELLS:
        raise CommandError(
            f"SHELL is {path!r}, which does not say bash, zsh or fish",
            code="management.E014",
            hint="name the shell, for example: completion bash",
        )
    return name
