"""Application: gunicorn's configuration, made of our orders in place of its command line."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentError, Namespace
from typing import Any, Final

from gunicorn.app.base import BaseApplication

from ...exceptions import CommandError
from .logs import Logger
from .orders import ManagerOrders
from .voice import Voice
from .worker import Worker

__all__ = ["Managed"]

FAST_FOLDER: Final = "/dev/shm"
JITTER: Final = 0.1


class Managed(BaseApplication):
    """What gunicorn's arbiter asks for its configuration, and a worker for the application.

    GUNICORN_CMD_ARGS is heard, as gunicorn itself does, but for what the orders decide.

    Attributes:
        orders: What the manager was told; a restart replaces it.
        voice: Lets one of several workers say why they cannot start.
    """

    def __init__(self, orders: ManagerOrders) -> None:
        self.orders = orders
        self.voice = Voice()
        super().__init__(prog="gunicorn")

    @property
    def environment(self) -> str:
        """The project's environment."""
        return self.orders.environment

    def do_load_config(self) -> None:
        """Load the configuration; gunicorn would tell of an error itself, in its own way.

        Raises:
            CommandError: GUNICORN_CMD_ARGS cannot be read.
        """
        self.load_default_config()
        self.load_config()

    def load_config(self) -> None:
        """Set gunicorn's settings."""
        for name, value in {**_wishes(), **self._given(), **self._decided()}.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Import the application; each worker does, so that a restart takes up new code."""
        from ...core.entrypoint import load_application

        return load_application(self.orders.plan.application)

    def _given(self) -> dict[str, Any]:
        arguments = _parsed(self.cfg)
        given = {name: value for name, value in vars(arguments).items() if value is not None}
        given.pop("args")  # what is no option
        return given

    def _decided(self) -> dict[str, Any]:
        plan = self.orders.plan
        limit = plan.max_requests or 0
        return {
            "bind": [f"fd://{self.orders.sock}"],
            "workers": plan.number,
            "worker_class": Worker,
            "logger_class": Logger,
            "preload_app": False,
            "reuse_port": False,
            "max_requests": limit,
            "max_requests_jitter": int(limit * JITTER),
        }


def _parsed(config: Any) -> Namespace:
    parser = config.parser()
    parser.exit_on_error = False
    try:
        arguments, unknown = parser.parse_known_args(config.get_cmd_args_from_env())
    except (ArgumentError, ValueError) as error:
        raise _unread(str(error)) from error
    if unknown:
        raise _unread(f"gunicorn has no option {unknown[0]!r}")
    return arguments  # type: ignore[no-any-return]


def _unread(why: str) -> CommandError:
    return CommandError(
        f"GUNICORN_CMD_ARGS cannot be read: {why}",
        code="server.E012",
        hint="write it as on gunicorn's command line: --timeout 60",
    )


def _wishes() -> dict[str, Any]:
    return {
        "loglevel": "warning",
        # Its thread would run beside every fork, and its socket wants a folder to write to.
        "control_socket_disable": True,
        "worker_tmp_dir": FAST_FOLDER if _is_usable(FAST_FOLDER) else None,
        "default_proc_name": "fastforge",
    }


def _is_usable(folder: str) -> bool:
    """Return whether heartbeats may be written to a folder; a disk may block for long."""
    return sys.platform == "linux" and os.access(folder, os.W_OK | os.X_OK)
