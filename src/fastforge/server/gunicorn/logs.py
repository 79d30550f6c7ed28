"""Logs: where the lines of a manager go, those of gunicorn among them."""

from __future__ import annotations

import logging
from typing import Final

from gunicorn.config import Config
from gunicorn.glogging import Logger

__all__ = ["LOG", "ManagerLogger", "forget_handlers"]

FORMAT: Final = "%(asctime)s %(levelname)s %(message)s"
LOG: Final = "fastforge.manager"
"""The logger of what we say ourselves."""
GUNICORN: Final = "gunicorn.error"


class ManagerLogger(Logger):
    """Gunicorn's logger without its handlers: its lines go where those of the manager go.

    Its news of every start ("Booting worker with pid") are for people who start gunicorn
    themselves; `--log-level info` in GUNICORN_CMD_ARGS shows them.
    """

    def setup(self, cfg: Config) -> None:
        """Write to standard error, in the format of a worker of jobs."""
        super().setup(cfg)
        forget_handlers()
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(FORMAT))
        for name in (GUNICORN, LOG):
            log = logging.getLogger(name)
            log.handlers, log.propagate = [handler], False
        logging.getLogger(LOG).setLevel(logging.INFO)


def forget_handlers() -> None:
    """Let the lines go wherever the project sends those of others: in a worker, after the fork."""
    for name in (GUNICORN, LOG):
        log = logging.getLogger(name)
        log.handlers, log.propagate = [], True
