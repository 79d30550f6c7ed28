"""Child: the process of a reloading server that serves; `python -m fastforge.server.child`."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..conf.finding import make_importable
from ..core.entrypoint import find_application
from ..exceptions import ForgeError
from ..observability.logging.light import begin_logging
from .link import Link
from .observer import Observer
from .orders import Orders

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Serve on an inherited socket until SIGTERM, or until the supervisor is gone.

    Args:
        arguments: One: `Orders` as JSON.
    """
    orders = Orders.from_argument(arguments[0])
    # Ctrl-C reaches the whole process group. The supervisor decides what it means for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.set_inheritable(orders.sock, False)  # processes that the application starts hold nothing
    make_importable(Path.cwd())
    if orders.import_folder not in sys.path:
        sys.path.insert(0, orders.import_folder)
    begin_logging("web", orders.environment)
    gc.disable()  # already now, as uvicorn is imported; `serve` wakes it
    return _serve(orders, _Reporter(orders))


def _serve(orders: Orders, observer: Observer) -> int:
    from .serve import refuse, serve

    try:
        application = orders.application or find_application(
            orders.settings_module, Path(orders.root)
        )
    except ForgeError as error:
        return refuse(error, observer)
    try:
        return serve(
            application,
            socket.socket(fileno=orders.sock),
            graceful_s=orders.graceful_s,
            observer=observer,
            ends_process=True,
        )
    except Exception as error:
        observer.failed(error)
        raise


class _Reporter(Observer):
    """Waits for the supervisor before the start, and tells it how the start went."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._link = Link(orders.control, orders.report)

    def loaded(self) -> None:
        # The child before us has not closed everything yet, perhaps.
        self._link.wait_for_start()

    def failed(self, error: BaseException, message: str = "") -> None:
        self._link.failed(error, message)

    async def serving(self, app: Any, state: Mapping[str, Any]) -> None:
        self._link.report("served")
        from .announcement import Announcer, write_line

        orders = self._orders
        if not orders.is_first:
            write_line("serving again")
            return

        announcer = Announcer(
            orders.url,
            settings_module=orders.settings_module,
            environment=orders.environment,
            facts=["reloads on changes"],
        )
        await announcer.serving(app, state)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
