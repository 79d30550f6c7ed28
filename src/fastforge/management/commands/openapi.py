"""Print the OpenAPI document of the application.

Keys are sorted, so that equal documents are equal files.
"""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Annotated, Any, Final

from ...commands import Context, command
from ...exceptions import CommandError

__all__ = ["openapi"]

MOST_LINES: Final = 60
"""How many lines of a difference are shown."""


@command(starts="project")
def openapi(
    *,
    output: Annotated[Path | None, "Write it to this file."] = None,
    check: Annotated[Path | None, "Exit with 1 if this file has another document."] = None,
    context: Context,
) -> int:
    """Build the application, without starting it, and show or compare what it says of itself."""
    from ..served import served_application

    text = _text(served_application(context.project).openapi())
    difference = [] if check is None else _difference(check, text)
    for line in difference:
        context.echo(line)
    if output is not None:
        _write(output, text)
        context.echo(f"wrote {output}")
    elif check is None:
        context.echo(text.removesuffix("\n"))
    return int(bool(difference))


def _text(document: Any) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _difference(file: Path, text: str) -> list[str]:
    """Return how the document differs from that of a file, however that is formatted."""
    before = _text(_read(file)).splitlines()
    lines = [
        *difflib.unified_diff(before, text.splitlines(), str(file), "the application", lineterm="")
    ]
    if len(lines) <= MOST_LINES:
        return lines
    left = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], f"... and {left} lines more; openapi --output {file} writes all"]


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(
            f"{file} cannot be read: {error.strerror}",
            code="management.E023",
            hint=f"write it once with: openapi --output {file}",
        ) from error
    except ValueError as error:
        raise CommandError(
            f"{file} is no JSON: {error}",
            code="management.E024",
            hint=f"write it anew with: openapi --output {file}",
        ) from error


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(
            f"{file} cannot be written: {error.strerror}",
            code="management.E025",
            hint="name a file in a folder that exists and that you may write to",
        ) from error
