"""Orders: what a manager is told when it is started, and what of that a restart reads anew."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final

from ...exceptions import ForgeError

if TYPE_CHECKING:
    from ...conf import Settings

__all__ = ["Asked", "ManagerOrders", "ServingPlan", "plan_of", "read_anew"]

READ_WITHIN_S: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asks for; it comes before the settings.

    Args:
        workers: How many processes serve.
        max_requests: After how many requests one is replaced.
    """

    workers: int | None = None
    max_requests: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingPlan:
    """What the settings say about several processes.

    Args:
        application: `package.module:attribute`.
        number: How many processes serve.
        reason: Where that number comes from.
        max_requests: After how many requests one is replaced.
    """

    application: str
    number: int
    reason: str
    max_requests: int | None

    @property
    def rule(self) -> tuple[str, str]:
        """Two lines: the number with its reason, and what to change for which kind of work."""
        from ...core.processes import ProcessPlan

        return ProcessPlan(number=self.number, reason=self.reason).rule


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerOrders:
    """What `manage runserver` wants of a manager: one argument on the command line.

    Args:
        settings_module: The dotted name of the settings.
        named_by: What gave that name, for messages.
        root: The folder of `pyproject.toml`.
        import_folder: The folder to import from.
        sock: The number of the socket.
        url: The address, for the announcement.
        environment: The project's environment, for the announcement.
        asked: What the command line asks for.
        plan: What the settings say.
    """

    settings_module: str
    named_by: str
    root: str
    import_folder: str
    sock: int
    url: str
    environment: str
    asked: Asked
    plan: ServingPlan

    def to_argument(self) -> str:
        """Return it as one word."""
        return json.dumps(asdict(self))

    @classmethod
    def from_argument(cls, text: str) -> ManagerOrders:
        """Return what `to_argument` has written."""
        members = json.loads(text)
        parts = {"asked": Asked(**members["asked"]), "plan": ServingPlan(**members["plan"])}
        return cls(**{**members, **parts})


def plan_of(settings: Settings, asked: Asked) -> ServingPlan:
    """Return what the settings say.

    Args:
        settings: The project's settings.
        asked: What the command line asks for.

    Raises:
        ForgeError: The number of processes, or `pyproject.toml`, cannot be read.
    """
    from ...core.entrypoint import find_application
    from ...core.processes import plan_processes
    from ...core.settings import Server

    found = plan_processes(settings, asked=asked.workers)
    return ServingPlan(
        application=find_application(settings.module, settings.root),
        number=found.number,
        reason=found.reason,
        max_requests=asked.max_requests or settings.section(Server).max_requests,
    )


def read_anew(orders: ManagerOrders) -> ManagerOrders | None:
    """Return the orders with what the settings say by now; None when they cannot be read.

    A child reads them, and writes to standard error what is wrong with them: a manager that had
    imported the project itself would hand its old code on to every worker.
    """

    def read() -> str:
        from ...project import Outline

        settings = Outline.read(orders.settings_module, named_by=orders.named_by).settings
        return json.dumps(asdict(plan_of(settings, orders.asked)))

    text = _in_child(read)
    return replace(orders, plan=ServingPlan(**json.loads(text))) if text else None


def _in_child(work: Callable[[], str]) -> str:
    """Return what a function gives in a process of its own; nothing when it fails, or hangs."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os._exit(_report(work, writing))
    os.close(writing)
    try:
        return _read_all(reading, within_s=READ_WITHIN_S)
    finally:
        os.close(reading)
        os.kill(pid, signal.SIGKILL)  # it has ended, or hangs
        os.waitpid(pid, 0)


def _report(work: Callable[[], str], writing: int) -> int:
    try:
        text = work()
    except ForgeError as error:
        from ...observability.logging.refusals import tell_refusal

        tell_refusal(error)
        return error.exit_code
    except BaseException:
        import traceback

        traceback.print_exc()
        return 1
    os.write(writing, text.encode())
    return 0


def _read_all(descriptor: int, *, within_s: float) -> str:
    deadline, parts = time.monotonic() + within_s, list[bytes]()
    while select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
        part = os.read(descriptor, select.PIPE_BUF)
        if not part:
            return b"".join(parts).decode()
        parts.append(part)
    return ""
