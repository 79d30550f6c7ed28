"""Child: the process of a reloading server that serves; `python -m fastforge.server.child`."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ..conf.finding import make_importable
from ..core.entrypoint import find_application
from ..exceptions import ForgeError
from .observer import Observer
from .orders import GO, Orders

__all__ = ["main"]

ORPHAN_LIMIT_S: Final = 10


def main(arguments: list[str]) -> int:
    """Serve on an inherited socket until SIGTERM, or until the supervisor is gone.

    Args:
        arguments: One: `Orders` as JSON.
    """
    orders = Orders.from_argument(arguments[0])
    # Ctrl-C reaches the whole process group. The supervisor decides what it means for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    for number in (orders.sock, orders.control, orders.report):
        os.set_inheritable(number, False)  # processes that the application starts hold nothing
    make_importable(Path.cwd())
    if orders.import_folder not in sys.path:
        sys.path.insert(0, orders.import_folder)
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
        self._may_start = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def loaded(self) -> None:
        # The child before us has not closed everything yet, perhaps.
        self._may_start.wait()

    def failed(self, error: BaseException, message: str = "") -> None:
        from .failure import Failure

        self._report("failed", Failure.of(error, message).to_json())

    async def serving(self, app: Any, state: Mapping[str, Any]) -> None:
        self._report("served")
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

    def _report(self, word: str, details: str = "") -> None:
        # A supervisor that is gone is noticed at the other pipe.
        with (
            suppress(OSError),
            open(self._orders.report, "w", closefd=False, encoding="utf-8") as pipe,
        ):
            pipe.write(f"{word} {details}\n")

    def _listen(self) -> None:
        while os.read(self._orders.control, 1) == GO:
            self._may_start.set()
        # The pipe's holder is dead, even by SIGKILL.
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ORPHAN_LIMIT_S)
        os._exit(1)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
