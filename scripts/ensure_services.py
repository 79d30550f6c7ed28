"""Make sure that the PostgreSQL, PgBouncer, Redis and Chromium the tests run on are installed.

Where `DATABASE_URL` or `REDIS_URL` name a running server, that one is used and nothing is
installed. Else Debian's packages are, when that is allowed; if not, one line says what to type.
PgBouncer is always our own: it stands before whichever PostgreSQL there is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.environment import install_packages
from tests.services import MissingServer, find_chromium, find_pgbouncer, find_postgres, find_redis


def main() -> None:
    """Check the servers; exit with one line for each that cannot be had."""
    wanted = [(find_pgbouncer, "pgbouncer"), (find_chromium, "chromium")]
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        wanted.append((find_postgres, "postgresql"))
    if not os.environ.get("REDIS_URL"):
        wanted.append((find_redis, "redis-server"))
    missing = [package for find, package in wanted if problem_of(find)]
    # At once, which reads the lists of packages once; each alone where one of them is in none.
    if missing and not install_packages(*missing):
        for package in missing if len(missing) > 1 else ():
            install_packages(package)
    if problems := list(filter(None, (problem_of(find) for find, _ in wanted))):
        sys.exit("\n".join(problems))


def problem_of(find: Callable[[], Path]) -> str:
    """The line that says what is missing; empty where it is there."""
    try:
        find()
    except MissingServer as missing:
        return str(missing)
    return ""


if __name__ == "__main__":
    main()
