"""What can go wrong with a template, as one line with the template's own line."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ..._utils import did_you_mean, failing_line
from ...exceptions import ForgeError, Location
from .jinja import jinja2

__all__ = [
    "TemplateError",
    "endless",
    "missing",
    "no_text",
    "syntax_hint",
    "unfilled",
    "unreadable",
]

PACKAGE: Final = f"{Path(__file__).parents[2]}{os.sep}"
TAGS: Final = re.findall(
    r"\w+",
    "block call elif else endblock endcall endfilter endfor endif endmacro endset endwith"
    " extends filter for from if import include macro raw set with",
)
"""What may stand behind `{%`."""


class TemplateError(ForgeError):
    """A template does not exist, cannot be read, or asks for what it was not given."""


def missing(error: jinja2.TemplateNotFound, engine: jinja2.Environment) -> TemplateError:
    """Return the error for a template that no folder has, with the folders and the nearest."""
    name = str(error.name)
    loader = engine.loader
    folders = loader.searchpath if isinstance(loader, jinja2.FileSystemLoader) else []
    searched = ", ".join(map(_shown, folders)) or "none: no app has a folder templates/"
    return TemplateError(
        f"there is no template {name!r}; searched: {searched}",
        code="templates.E001",
        hint=did_you_mean(name, engine.list_templates()) or "make it in one of these folders",
        where=failing_line(error) or _caller(),
    )


def unreadable(error: jinja2.TemplateSyntaxError, engine: jinja2.Environment) -> TemplateError:
    """Return the error for a template that is not well written."""
    return TemplateError(
        f"the template {error.name!r} cannot be read: {error.message}",
        code="templates.E002",
        hint=syntax_hint(error, engine),
        where=Location(error.filename, error.lineno) if error.filename else None,
    )


def no_text(error: UnicodeDecodeError, name: str, file: str) -> jinja2.TemplateSyntaxError:
    """Return the error for a template that is not UTF-8, at the line where that shows."""
    line = error.object.count(b"\n", 0, error.start) + 1
    return jinja2.TemplateSyntaxError("it is not UTF-8 text", line, name, file)


def endless(error: RecursionError, name: str) -> TemplateError:
    """Return the error for a template that comes to no end."""
    return TemplateError(
        f"the template {name!r} comes to no end: it, or what it calls, includes itself",
        code="templates.E006",
        hint="let the inclusion depend on something that ends",
        where=failing_line(error) or _caller(),
    )


def unfilled(error: jinja2.UndefinedError, given: Iterable[str]) -> TemplateError:
    """Return the error for a name that has no value."""
    message = str(error.message or error)
    name = message.split("'")[1] if message.endswith("is undefined") else ""
    return TemplateError(
        f"a template asks for what it was not given: {message}",
        code="templates.E003",
        hint=did_you_mean(name, given) or "give it a value, or write {{ name | default('') }}",
        where=failing_line(error) or _caller(),
    )


def syntax_hint(error: jinja2.TemplateSyntaxError, engine: jinja2.Environment) -> str:
    """Return the filter, test or tag that most likely was meant."""
    if isinstance(error.__cause__, UnicodeDecodeError):
        return "save it as UTF-8"
    found = re.search(r"(filter|test) named '(\w+)'|unknown tag '(\w+)'", error.message or "")
    if found is None:
        return ""
    names = {"filter": engine.filters, "test": engine.tests}.get(found[1], TAGS)
    return did_you_mean(found[2] or found[3], names)


def _shown(folder: str) -> str:
    return str(Location(folder, 0)).removesuffix(":0")


def _caller() -> Location | None:
    """Return the line outside of this package that asked for the template."""
    for frame, line in traceback.walk_stack(sys._getframe()):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return Location(frame.f_code.co_filename, line)
    return None
