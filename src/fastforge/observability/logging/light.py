"""Light: whether this process writes lines, asked without loading what writes them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...conf.environment import ENVIRONMENTS, VARIABLE, read_environment
from ...conf.finding import nearest_pyproject

if TYPE_CHECKING:
    from .configuration import Configuration, Role

__all__ = [
    "begin_logging",
    "configuration_here",
    "environment_here",
    "lines_for_children",
    "logging_begun",
    "writes_json",
]


def begin_logging(role: Role, environment: str = "") -> Callable[[], None]:
    """Let a process write lines from its first one on, by the environment alone.

    What its project says of it is entered later, above this. It returns what undoes it, which a
    process that is about to end need not call.

    Args:
        role: What the process is.
        environment: That of the project; read from where the process stands unless given.
    """
    from .configuration import Configuration
    from .process import enter_logging

    environment = environment or environment_here()
    return enter_logging(Configuration.early(role, environment, owns_process=True))


@contextmanager
def logging_begun(role: Role, environment: str = "") -> Iterator[None]:
    """Do what `begin_logging` does, for a block that is the rest of what the process has to do.

    Where it fails, that is undone: whoever reports the failure writes in his own way.

    Args:
        role: What the process is.
        environment: That of the project; read from where the process stands unless given.
    """
    leave = begin_logging(role, environment)
    try:
        yield
    except BaseException:
        leave()
        raise


def environment_here() -> str:
    """Return the environment of the project in whose folder this process stands."""
    said = os.environ.get(VARIABLE, "")
    if said in ENVIRONMENTS and said != "development":
        return said
    pyproject = nearest_pyproject(Path.cwd())
    return read_environment(pyproject.parent if pyproject else Path.cwd()).name


def configuration_here() -> Configuration | None:
    """Return the configuration that holds in this process, if any was entered."""
    process = sys.modules.get(f"{__package__}.process")
    return process.configured() if process is not None else None


def lines_for_children() -> str | None:
    """Return how processes that are started here are to write, as one word; None: not into ours."""
    found = configuration_here()
    return found.to_json() if found is not None and found.reach == "process" else None


def writes_json() -> bool:
    """Return whether all that this process says is to be JSON."""
    found = configuration_here()
    return found is not None and found.reach == "process" and found.shape == "json"
