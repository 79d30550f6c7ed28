"""The process that manages several servers; `manage runserver` becomes it."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

from ...conf.finding import make_importable
from ...core.processes import CONCURRENCY_VARIABLE
from ...exceptions import CommandError
from ...observability.logging.light import begin_logging
from ...signals import end_at_termination
from .orders import ManagerOrders

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Serve with several processes until told to stop.

    Args:
        arguments: One: `ManagerOrders` as JSON.
    """
    orders = ManagerOrders.from_argument(arguments[0])
    make_importable(Path.cwd())
    if orders.import_folder not in sys.path:
        sys.path.insert(0, orders.import_folder)
    if not os.environ.get(CONCURRENCY_VARIABLE, "1").isdigit():
        del os.environ[CONCURRENCY_VARIABLE]  # gunicorn fails at its import; we were told a number
    begin_logging("manager", orders.environment)
    with end_at_termination():  # until the manager listens to signals
        from ...observability.logging.refusals import tell_refusal
        from .application import Managed
        from .manager import Manager

        gc.freeze()  # what is imported by now stays shared with the workers
        try:
            application = Managed(orders)
        except CommandError as error:
            tell_refusal(error)
            return error.exit_code
        Manager(application).run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
