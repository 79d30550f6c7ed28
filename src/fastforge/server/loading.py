"""Loading: the application from its dotted path; one that does not load is told in one line."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from .._utils import did_you_mean, failing_line, told
from ..exceptions import ForgeError, StartError

__all__ = ["load_application", "resting_collector"]


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
    except (Exception, SystemExit) as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        raise StartError(
            f"{name} does not load: {told(error)}",
            code="server.E004",
            hint="run this in the project's folder" if missing == name.partition(".")[0] else "",
            where=failing_line(error),
        ) from error


@contextmanager
def resting_collector() -> Iterator[Callable[[], None]]:
    """Collect no garbage while modules load, for nearly all that they make stays.

    Gives the function that wakes the collector: what is there by then it never looks at again,
    which spares the running server its longest pauses.
    """
    gc.disable()

    def wake() -> None:
        gc.freeze()
        gc.enable()

    try:
        yield wake
    finally:
        gc.enable()
