"""Unavailable: why a database cannot be reached, in words, whichever driver says it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from ...._utils import first_line, redact
from ....exceptions import ResourceRefused, ResourceUnavailable
from ..engine import target_of
from ..settings import Database

__all__ = ["Cause", "cause_of", "unavailable"]


@dataclass(frozen=True, slots=True)
class Cause:
    """What drivers write, what it means (empty: their own words), and what to do.

    `passes` is whether waiting may help.
    """

    pattern: str
    words: str
    hint: str
    passes: bool = True


_CAUSES: Final = (
    Cause(  # before the time limits, since it names one
        r"unsupported startup parameter",
        "a pooler answers there, and takes no settings from whoever connects",
        "write Database(..., pooler='transaction', direct_url=...)",
        passes=False,
    ),
    Cause(
        r"28P01|28000|password authentication|no pg_hba",
        "the server refuses the user or its password",
        "check the user and the password in the URL",
        passes=False,
    ),
    Cause(
        r"42501|permission denied for",
        "",
        "GRANT it to the user in the URL: CONNECT to the database, SELECT on what is named",
        passes=False,
    ),
    Cause(
        r"role .* does not exist",
        "the server knows no such user",
        "check the user in the URL",
        passes=False,
    ),
    Cause(
        r"3D000|database .* does not exist",
        "the server has no such database",
        "create it, or check the name in the URL",
        passes=False,
    ),
    Cause(
        r"53300|too many (clients|connections)|connection slots",
        "the server has no connection left",
        "raise max_connections, or lower pool_size: every process has a pool of its own",
    ),
    Cause(
        r"SSL upgrade|does not support SSL",
        "the server does not offer TLS, and without it nothing is sent",
        'turn TLS on there, or write ssl="disable" in DATABASES where nobody can listen',
        passes=False,
    ),
    Cause(
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|root certificate",
        "the server's certificate is not trusted",
        "set PGSSLROOTCERT to the file of its authority",
        passes=False,
    ),
    Cause(r"57P03|starting up|shutting down", "the server starts or stops", "wait for it"),
    Cause(
        r"refused|\.s\.PGSQL\.\d+.*No such file",
        "nothing listens there",
        "start it, or check the host and port in the URL",
    ),
    Cause(
        r"invalid connection option|invalid sslmode value|parameter must be one of",
        "",
        "correct it behind the ? in the URL; what fastforge has a field for belongs into DATABASES",
        passes=False,
    ),
    Cause(
        r"gaierror|name resolution|not known|translate host|resolve",
        "the host name is unknown",
        "check the host in the URL",
    ),
    Cause(
        r"Timeout|timed out",
        "there is no answer within connect_timeout_s",
        "check the host in the URL and the network",
    ),
    Cause(
        r"unable to open database file",
        "the file cannot be opened",
        "see that its folder exists and is writable",
    ),
    Cause(
        r"not a database",
        "the file holds something else",
        "check the file in the URL",
        passes=False,
    ),
)


def cause_of(error: BaseException) -> Cause:
    """Return why a database cannot be reached; the words of an unknown cause hold no password."""
    driver = getattr(error, "orig", None) or error
    facts = f"{getattr(driver, 'sqlstate', '')} {type(driver).__name__} {driver}"
    unknown = Cause("", first_line(redact(str(driver))) or type(driver).__name__, "")
    known = next(
        (cause for cause in _CAUSES if re.search(cause.pattern, facts, re.IGNORECASE)), unknown
    )
    return known if known.words else replace(known, words=unknown.words)


def unavailable(config: Database, error: BaseException) -> ResourceUnavailable:
    """Return the error for a database that does not answer; it holds no password.

    It is a `ResourceRefused` where waiting does not help.
    """
    cause = cause_of(error)
    kind = ResourceUnavailable if cause.passes else ResourceRefused
    return kind(
        f"the database {target_of(config)} cannot be reached: {cause.words}",
        code="db.E020",
        hint=cause.hint,
    )
