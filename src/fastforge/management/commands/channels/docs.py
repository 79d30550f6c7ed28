"""Describe the channels for clients: an AsyncAPI document, or types for TypeScript.

Both come from the classes: what is described is what is checked. Equal channels are equal files.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from ....commands import Context, command
from ....exceptions import CommandError
from ...tables import as_json

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["describe_channels"]


@command(starts="project")
def describe_channels(
    *,
    format: Annotated[Literal["asyncapi", "typescript"], "What is written."] = "asyncapi",
    output: Annotated[Path | None, "Write it to this file."] = None,
    check: Annotated[Path | None, "Exit with 1 if this file says something else."] = None,
    context: Context,
) -> int:
    """Write or compare what the channels say of themselves; nothing is started."""
    text = _typescript(context.project) if format == "typescript" else _asyncapi(context.project)
    difference = [] if check is None else _difference(check, text)
    for line in difference:
        context.echo(line)
    if output is not None:
        _write(output, text)
        context.echo(f"wrote {output}")
    elif check is None:
        context.echo(text.removesuffix("\n"))
    return int(bool(difference))


def _asyncapi(project: Project) -> str:
    from ....channels.describing.asyncapi import asyncapi_of
    from ....channels.settings import Channels
    from ...channels import channels_by_name

    path = project.settings.section(Channels).path
    document = asyncapi_of(channels_by_name(project), title=project.name, version="1", path=path)
    return as_json(document) + "\n"


def _typescript(project: Project) -> str:
    from ....channels.describing.typescript import typescript_of
    from ...channels import channels_by_name

    return typescript_of(channels_by_name(project))


def _difference(file: Path, text: str) -> list[str]:
    try:
        before = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise CommandError(
            f"{file} cannot be read: {error.strerror}",
            code="management.E023",
            hint=f"write it once with: channels docs --output {file}",
        ) from error
    after = text.splitlines()
    return [*difflib.unified_diff(before, after, str(file), "the channels", lineterm="")]


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(
            f"{file} cannot be written: {error.strerror}",
            code="management.E025",
            hint="name a file in a folder that exists and that you may write to",
        ) from error
