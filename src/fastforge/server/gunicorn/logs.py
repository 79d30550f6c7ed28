"""Logs: where the lines of gunicorn go."""

from __future__ import annotations

import logging
from typing import Final

from gunicorn.config import Config
from gunicorn.glogging import Logger as GunicornLogger

from ...observability.logging.light import begin_logging, configuration_here

__all__ = ["LOG", "Logger", "forget_handlers"]

LOG: Final = "fastforge.manager"
"""The logger of what we say ourselves."""
GUNICORN: Final = ("gunicorn.error", "gunicorn.access", "uvicorn.error")
"""Uvicorn's is among them: `uvicorn_worker` lets it write where gunicorn's own does, and no
further."""


class Logger(GunicornLogger):
    """Gunicorn's logger without its handlers: its lines are as all others of the process.

    Our own manager uses it. With a gunicorn that is started by hand it makes lines of what the
    manager says, too:

    ```console
    $ gunicorn -k fastforge.server.Worker --logger-class fastforge.server.Logger shop.asgi:app
    ```

    Its news of every start ("Booting worker with pid") are for people who start gunicorn
    themselves; `--log-level info` shows them.
    """

    def setup(self, cfg: Config) -> None:
        """Take the levels from gunicorn's configuration, and nothing else."""
        super().setup(cfg)
        if configuration_here() is None:
            begin_logging("manager")
        forget_handlers()


def forget_handlers() -> None:
    """Let gunicorn's lines go where those of all loggers go."""
    for name in GUNICORN:
        log = logging.getLogger(name)
        log.handlers, log.propagate = [], True
