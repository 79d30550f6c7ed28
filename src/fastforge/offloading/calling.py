"""Calling: `await offload(function, ...)`, from wherever a project runs."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple

from ..lifecycle import current_container
from .call import Call, refuse_async
from .errors import OffloadError
from .gauges import OffloadGauges
from .limiter import Limiter, refuse_other
from .running import offloading_of

__all__ = ["offload", "offload_gauges"]

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


async def offload(
    function: Callable[[*Arguments], T],
    *args: *Arguments,
    limiter: Limiter | None = None,
    timeout_s: float | None = None,
    process: bool = False,
) -> T:
    """Run a function that blocks in a thread, or in another process, and return its result.

    The event loop goes on meanwhile. It works in handlers, tasks, commands, services and the
    shell. The function sees the context variables of its caller; what it sets stays with it.

    ```python
    text = await offload(read_pdf, path, timeout_s=20)
    picture = await offload(shrink, original, process=True)
    ```

    Surprises: a thread cannot be ended. A caller that is cancelled, or out of time, is free at
    once; the thread goes on until the function returns, and keeps its place, so that there are
    never more threads than SERVER.threads. A process is ended instead. Keyword arguments need
    `functools.partial`.

    Args:
        function: A plain function. What it raises arrives as it is.
        args: Its arguments.
        limiter: A limit of its own, within the general one.
        timeout_s: How long waiting for a place and running may take together. None: any time.
        process: Run it in another process: for work that needs a processor, which in a thread
            would slow down the event loop. Function, arguments and result are pickled. There are
            at most SERVER.offload_processes, kept until the project stops.

    Raises:
        OffloadTimeout: It did not end in time; in HTTP a 504. Also a TimeoutError.
        OffloadBusy: As many wait for the limiter as it lets wait; in HTTP a 503.
        OffloadCrashed: The process ended before the function did.
        OffloadError: An async function, no function, or one that cannot be sent to a process; a
            timeout that is no length of time.
        ContainerMissing: No project runs here.
    """
    refuse_async(function)
    refuse_other(limiter)
    _refuse_no_time(timeout_s)
    offloading = offloading_of(current_container())
    call = Call(function, args)
    if asyncio.get_running_loop() is not offloading.loop:
        raise OffloadError(
            f"{call.name} was offloaded on another event loop than the project's",
            code="offloading.E007",
            hint="in a thread call it as it is; anyio.from_thread.run comes back to the loop",
        )
    result: Any = await offloading.offloader.run(
        call, limiter=limiter, timeout_s=timeout_s, process=process
    )
    return result  # type: ignore[no-any-return]


def _refuse_no_time(timeout_s: object) -> None:
    is_number = isinstance(timeout_s, int | float) and not isinstance(timeout_s, bool)
    if timeout_s is not None and not (is_number and 0 <= timeout_s < math.inf):  # type: ignore[operator]
        raise OffloadError(
            f"timeout_s={timeout_s!r} is no time limit",
            code="offloading.E008",
            hint="write timeout_s=10 for ten seconds, None for any time",
        )


def offload_gauges() -> OffloadGauges:
    """Return what the running project offloads at this moment.

    ```python
    threads = offload_gauges().threads
    free = threads.limit - threads.borrowed
    ```

    Raises:
        ContainerMissing: No project runs here.
    """
    return offloading_of(current_container()).offloader.gauges()
