"""Loading: the application from its dotted path; one that does not load is told in one line."""

from __future__ import annotations

import importlib
import os
from types import ModuleType, TracebackType
from typing import Any

from .._utils import did_you_mean, first_line
from ..exceptions import ForgeError, Location, StartError

__all__ = ["load_application"]


def load_application(path: str) -> Any:
    """Import `package.module:attribute`.

    Raises:
        StartError: The module does not exist or fails, or has no such attribute.
        ForgeError: What the module's own code raised: a mistake in the settings, for example.
    """
    module_name, _, attribute = path.partition(":")
    module = _import(module_name)
    if attribute and hasattr(module, attribute):
        return getattr(module, attribute)
    near = did_you_mean(attribute, vars(module))
    raise StartError(
        f"{module_name} has no application {attribute!r}",
        code="server.E005",
        hint=near or "write `app = get_asgi_application()` in it",
        where=getattr(module, "__file__", None),
    )


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ForgeError:
        raise
    except Exception as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        raise StartError(
            f"{name} does not load: {type(error).__name__}: {first_line(str(error))}",
            code="server.E004",
            hint="run this in the project's folder" if missing == name.partition(".")[0] else "",
            where=_place(error),
        ) from error


def _place(error: BaseException) -> Location | None:
    """Return the innermost line of the user's own that ran: one outside of installed packages."""
    if isinstance(error, SyntaxError) and error.filename:
        return Location(error.filename, error.lineno or 1)
    place: Location | None = None
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if os.path.isfile(file) and not _is_installed(file):
            place = Location(file, trace.tb_lineno)
        trace = trace.tb_next
    return place


def _is_installed(file: str) -> bool:
    ours = os.path.dirname(os.path.dirname(__file__))
    standard_library = os.path.dirname(os.__file__)
    return file.startswith((ours, standard_library)) or f"-packages{os.sep}" in file
