"""Recording: what others measure of this process, by functions that cost them one line."""

from __future__ import annotations

from .meter import process_meter
from .of_processes import EVENT_LOOP_BLOCKS, EVENT_LOOP_LAG
from .of_requests import HTTP_REFUSED, HTTP_SOCKETS_CUT

__all__ = ["record_cut", "record_loop_block", "record_loop_lag", "record_refusal"]


def record_loop_lag(lag_s: float) -> None:
    """Count how late an event loop of this process came to what was due.

    Args:
        lag_s: In seconds.
    """
    process_meter.record(EVENT_LOOP_LAG, value=max(lag_s, 0.0))


def record_loop_block(cause: str) -> None:
    """Count that the event loop was blocked.

    Args:
        cause: What by, in one of a few words: `code`, `gc`, `throttled`.
    """
    process_meter.add(EVENT_LOOP_BLOCKS, cause)


def record_refusal(status: int) -> None:
    """Count a request that a connection has refused.

    Args:
        status: The status of the answer.
    """
    process_meter.add(HTTP_REFUSED, str(status))


def record_cut(reason: str) -> None:
    """Count a web socket that was cut.

    Args:
        reason: In one of a few words: `silent`, `stalled`, `unfinished`, `application`.
    """
    process_meter.add(HTTP_SOCKETS_CUT, reason)
