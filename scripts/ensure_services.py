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
    problems = ensure(find_pgbouncer, "pgbouncer") + ensure(find_chromium, "chromium")
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        problems += ensure(find_postgres, "postgresql")
    if not os.environ.get("REDIS_URL"):
        problems += ensure(find_redis, "redis-server")
    if problems:
        sys.exit("\n".join(problems))


def ensure(find: Callable[[], Path], package: str) -> list[str]:
    """The problems that are left after trying to install what is missing."""
    try:
        find()
    except MissingServer:
        install_packages(package)
    try:
        find()
    except MissingServer as missing:
        return [str(missing)]
    return []


if __name__ == "__main__":
    main()
