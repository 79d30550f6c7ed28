"""Which errors of Redis mean that the same call may succeed later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ..._utils import told
from ...exceptions import ForgeError
from ...tasks.backend import BackendAway
from ..redis.library import exceptions

__all__ = ["away_when_unreachable"]

_MAY_PASS: Final = (
    exceptions.ConnectionError,  # of the password and of a full pool too
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.ClusterDownError,
    OSError,
    TimeoutError,
)
# What the server says for a while: of its memory, its disk, its replicas, a slow script.
_MAY_PASS_TEXTS: Final = (
    "BUSY",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "NOREPLICAS",
    "OOM",
    "TRYAGAIN",
)


@contextmanager
def away_when_unreachable() -> Iterator[None]:
    """Turn an error that may pass into BackendAway.

    Raises:
        BackendAway: Redis cannot be reached, or can do nothing now.
    """
    try:
        yield
    except Exception as error:
        if not _may_pass(error):
            raise
        raise BackendAway(
            _words(error),
            code="arq.E001",
            hint="the same call may succeed later",
        ) from error


def _words(error: Exception) -> str:
    if isinstance(error, ForgeError):
        return error.message
    return f"Redis: {told(error).rstrip('.')}"


def _may_pass(error: Exception) -> bool:
    if isinstance(error, _MAY_PASS):
        return True
    text = str(error).removeprefix("-")
    return isinstance(error, exceptions.ResponseError) and text.startswith(_MAY_PASS_TEXTS)
