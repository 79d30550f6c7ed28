"""Facts: what somebody who helps has to know of an installation and of a project."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from .. import __version__
from .._utils import DISTRIBUTION
from ..exceptions import ForgeError

if TYPE_CHECKING:
    from ..project import Outline, Project

__all__ = ["about_installation", "about_project"]

BESIDES: Final = ("granian", "gunicorn", "httptools", "pydantic-core", "pytest", "uvloop")
"""What is of interest where it is, and is not asked for by fastforge itself."""
NO_SETTINGS_NAMED: Final = "conf.E013"

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")


def about_installation() -> dict[str, Any]:
    """Return the versions of Python, the platform, and of what fastforge is made of."""
    return {
        "fastforge": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "packages": dict(_versions()),
    }


def about_project(settings_module: str | None) -> tuple[dict[str, Any], Exception | None]:
    """Return the facts of the project here, and why there are no more of them.

    A folder without a project is no failure.
    """
    from ..project import Outline, Project

    try:
        outline = Outline.read(settings_module, named_by="--settings")
    except Exception as error:
        return _without(error)
    known = _outlined(outline)
    try:
        return {**known, **_collected(Project.of(outline))}, None
    except Exception as error:
        return known, error


def _without(error: Exception) -> tuple[dict[str, Any], Exception | None]:
    if isinstance(error, ForgeError) and error.code == NO_SETTINGS_NAMED:
        return {"settings": "there is no project here"}, None
    return {"settings": "cannot be read"}, error


def _outlined(outline: Outline) -> dict[str, Any]:
    settings = outline.settings
    return {
        "settings": settings.module,
        "environment": settings.environment,
        "debug": settings.debug,
        "apps": [app.name for app in outline.apps],
        "backends": dict(_backends(settings)),
    }


def _collected(project: Project) -> dict[str, Any]:
    from ..lifecycle import RESOURCES

    components = project.registry.components(RESOURCES)
    return {"resources": [component.name for component in components]}


def _backends(settings: Any) -> Iterator[tuple[str, str]]:
    """Yield what each section says of its backend, and the scheme of each address."""
    from ..conf import settings_report

    for row in settings_report(settings):
        for path, value in _leaves(row.name, row.value):
            field = path.rpartition(".")[2]
            if field == "backend" and value is not None:
                yield path, str(value)
            elif field == "url" and "://" in str(value):
                yield path, str(value).partition("://")[0]


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}", inner)
    else:
        yield path, value


def _versions() -> Iterator[tuple[str, str]]:
    """Yield the packages that are there of those that fastforge can use, with their versions."""
    for name in sorted({*_required(), *BESIDES}, key=str.lower):
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue


def _required() -> Iterator[str]:
    try:
        requirements = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:  # a source tree that nobody has installed
        return
    for requirement in requirements:
        if name := _NAME.match(requirement):
            yield name.group()
