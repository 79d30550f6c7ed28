"""Unavailable: why Redis cannot be reached, in words."""

from __future__ import annotations

import re
from typing import Final

from ..._utils import first_line, redact
from ...exceptions import ResourceRefused, ResourceUnavailable
from .settings import Redis

__all__ = ["is_forbidden", "unavailable"]

_LASTING: Final = re.compile(
    "Authentication|WRONGPASS|NOAUTH|invalid username|without any password|NOPERM"
    "|DB index is out of range|CERTIFICATE_VERIFY_FAILED|certificate verify failed"
    "|WRONG_VERSION_NUMBER|NoPermission"
)
"""What waiting does not cure."""
_FORBIDDEN: Final = re.compile(
    "NOPERM|NoPermission|user executing the script can't (publish|run this|access)"
)
_CAUSES: Final = (
    (
        r"Authentication|WRONGPASS|NOAUTH|invalid username|without any password",
        "the user or password is wrong",
    ),
    (r"DB index is out of range", "the server has no database of that number"),
    (_FORBIDDEN.pattern, "the user lacks the permission"),
    (r"LOADING|BusyLoading", "the server is reading its data"),
    (r"MASTERDOWN|READONLY", "the server is a replica, or has lost its master"),
    (r"CERTIFICATE_VERIFY_FAILED|certificate verify failed", "its certificate is not trusted"),
    (r"SSL|WRONG_VERSION_NUMBER", "the server does not speak TLS; write redis:// for it"),
    (r"name resolution|not known|Name or service|getaddrinfo", "the host name is unknown"),
    (r"refused|Connect call failed|No such file", "nothing listens there"),
    (
        r"closed by server|reset by peer|Connection lost",
        "it closes the connection; TLS needs rediss://",
    ),
    (r"[Tt]imeout|timed out", "there is no answer within the time limit"),
)


def is_forbidden(error: BaseException) -> bool:
    """Return whether the server answers, and its user may not do what was asked for."""
    return _FORBIDDEN.search(f"{type(error).__name__} {error}") is not None


def unavailable(config: Redis, error: BaseException) -> ResourceUnavailable:
    """Return the error for a Redis that does not answer; it holds no password."""
    if isinstance(error, ResourceUnavailable):
        return error
    facts = f"{type(error).__name__} {error}"
    known = (words for pattern, words in _CAUSES if re.search(pattern, facts))
    words = next(known, "")
    if "time limit" in words and config.url.startswith("rediss:"):
        words += "; a server that does not speak TLS needs redis://"
    words = words or first_line(redact(str(error))) or type(error).__name__
    kind = ResourceRefused if _LASTING.search(facts) else ResourceUnavailable
    return kind(
        f"Redis at {config.target} cannot be reached: {words}",
        code="redis.E001",
        hint="check REDIS.url, and whether the server runs",
    )
