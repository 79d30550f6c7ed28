"""Projects: what holds in a process from the moment on at which it knows its project."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .configuration import Configuration
from .hooks import handle_loop_errors
from .light import configuration_here
from .process import enter_logging

if TYPE_CHECKING:
    from ...conf import Settings
    from .configuration import Role

__all__ = ["project_logging"]


@contextmanager
def project_logging(settings: Settings, role: Role, *, for_ever: bool = False) -> Iterator[None]:
    """Let this process write as the settings of a project say, within a block.

    What the event loop that runs here has to tell is a line as well.

    ```python
    with project_logging(project.settings, "worker"):
        ...
    ```

    Args:
        settings: The project's.
        role: What the process is.
        for_ever: Whether that holds until the process ends, which is about to.

    Raises:
        SettingsError: A variable of the environment is no form, or no level.
    """
    found = configuration_here()
    owns_process = for_ever or (found is not None and found.reach == "process")
    configuration = Configuration.of(settings, role, owns_process=owns_process)
    leave = enter_logging(configuration)
    try:
        if configuration.reach == "process" and _has_loop():
            handle_loop_errors()
        yield
    except BaseException:
        leave()  # whoever tells of it has entered before
        raise
    if not for_ever:
        leave()


def _has_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
