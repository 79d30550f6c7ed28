"""The engine: a Jinja2 environment of the folders, the helpers and the settings of a project."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from starlette.datastructures import URL
from starlette.requests import Request

from ...apps.folders import Folder, find_folders
from ...components import Registry
from ...conf import Settings
from ...web.current import request_scope
from .errors import TemplateError
from .jinja import jinja2
from .kinds import TEMPLATE_HELPERS
from .settings import Templates

__all__ = ["is_escaped", "is_text", "make_engine", "template_folders"]

OWN_SUFFIXES: Final = (".jinja2", ".jinja", ".j2")
"""What may stand behind the real suffix: `page.html.j2` is HTML."""


def template_folders(settings: Settings) -> tuple[Folder, ...]:
    """Return the folders that templates are searched in, the first first."""
    return find_folders(settings, "templates", settings.section(Templates).directories)


def make_engine(settings: Settings, registry: Registry) -> jinja2.Environment:
    """Return the environment that loads and fills the templates of a project."""
    config = settings.section(Templates)
    strict = config.is_strict_in(settings.environment)
    engine = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_paths(template_folders(settings))),
        autoescape=is_escaped,
        auto_reload=config.reloads_in(settings.environment),
        undefined=jinja2.StrictUndefined if strict else jinja2.Undefined,
    )
    engine.globals["url_for"] = _url_for
    for helper in registry.values(TEMPLATE_HELPERS):
        names = engine.filters if helper.form == "filter" else engine.globals
        names[helper.name] = helper.function
    return engine


def is_text(name: str) -> bool:
    """Return whether a template is plain text, by its suffix."""
    name = name.lower()
    for suffix in OWN_SUFFIXES:
        name = name.removesuffix(suffix)
    return name.endswith(".txt")


def is_escaped(name: str | None) -> bool:
    """Return whether the values of a template are escaped: all are, but those of plain text."""
    return name is None or not is_text(name)


def _paths(folders: Iterable[Folder]) -> list[str]:
    return [str(folder.path) for folder in folders]


def _url_for(name: str, /, **path_params: object) -> URL:
    """Return the address of a route by its function's name, as `request.url_for` does."""
    scope = request_scope.get()
    if scope is None:
        raise TemplateError(
            f"url_for({name!r}) was called where no request is answered",
            code="templates.E004",
            hint="give the address to the template: here nobody knows the host",
        )
    return Request(scope).url_for(name, **path_params)
