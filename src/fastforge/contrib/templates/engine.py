"""The engine: a Jinja2 environment of the folders, the helpers and the settings of a project."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from fastapi.routing import iter_route_contexts
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.routing import NoMatchFound
from starlette.types import Scope

from ..._utils import did_you_mean
from ...apps.folders import Folder, find_folders
from ...components import Registry
from ...conf import Settings
from ...web.current import request_scope
from .errors import TemplateError, no_text
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
        loader=_Loader([folder.path for folder in template_folders(settings)]),
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


class _Loader(jinja2.FileSystemLoader):
    """Reads templates; one that is no text is an error with the template's name and line."""

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        try:
            return super().get_source(environment, template)
        except UnicodeDecodeError as error:
            files = (Path(folder, template) for folder in self.searchpath)
            file = next(file for file in files if file.is_file())
            raise no_text(error, template, str(file)) from error


def _url_for(name: str, /, **path_params: object) -> URL:
    """Return the address of a route by its function's name, as `request.url_for` does."""
    scope = request_scope.get()
    if scope is None:
        raise TemplateError(
            f"url_for({name!r}) was called where no request is answered",
            code="templates.E004",
            hint="give the address to the template: here nobody knows the host",
        )
    try:
        return Request(scope).url_for(name, **path_params)
    except NoMatchFound as error:
        raise _no_route(name, path_params, scope) from error


def _no_route(name: str, given: Iterable[str], scope: Scope) -> TemplateError:
    paths = {each.name or "": each.path for each in iter_route_contexts(scope["app"].routes)}
    if name in paths:
        message = f"url_for({name!r}) was given other parameters than the route has"
        hint = f"its path is {paths[name]}, and given was {', '.join(given) or 'none'}"
    else:
        message = f"no route is called {name!r}"
        hint = did_you_mean(name, paths) or "it is the name of the handler's function"
    return TemplateError(message, code="templates.E005", hint=hint)
