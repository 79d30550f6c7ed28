"""Reading: a project as it is in production, whatever the environment of whoever asks says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ...conf.finding import find_settings_module, make_importable
from ...conf.module import RawSettings, read_settings_module
from ...conf.variables import example
from ...exceptions import ForgeError
from ...project import Outline, Project

__all__ = ["project_in_production"]

PRODUCTION: Final = {"FASTFORGE_ENV": "production"}


def project_in_production(settings_module: str | None) -> Project:
    """Load the project by what its settings say, so that everybody writes the same files.

    Variables that have a default are not read: their values are those of this machine. One that
    has none, and is not set here, gets a sample where its type allows one, so that no secret of
    production is needed to write files.

    Args:
        settings_module: What `--settings` says.

    Raises:
        ForgeError: The project cannot be loaded.
    """
    module, named_by = settings_module or "", "--settings"
    make_importable(Path.cwd())
    if not module:
        module, named_by = find_settings_module(Path.cwd(), os.environ)
    here = read_settings_module(module, named_by=named_by)
    try:
        outline = Outline.read(module, named_by=named_by, environ={**_required(here), **PRODUCTION})
    except ForgeError:
        # It tells what is not set, in place of what is wrong with a sample.
        everything = {**here.environment.variables, **PRODUCTION}
        outline = Outline.read(module, named_by=named_by, environ=everything)
    return Project.of(outline)


def _required(settings: RawSettings) -> Mapping[str, str]:
    """Return the variables that have to be set, as they are here or with a sample."""
    found: dict[str, str] = {}
    there = settings.environment.variables
    for variable in settings.record.variables:
        if variable.required:
            file = f"{variable.name}_FILE"
            name = file if variable.secret and file in there else variable.name
            found[name] = there.get(name, example(variable.type))
    return found
