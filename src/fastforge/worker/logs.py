"""Logs: where the lines of a worker go that nobody has configured."""

from __future__ import annotations

import logging

__all__ = ["configure_logging"]


def configure_logging() -> None:
    """Write to standard error, unless the settings have configured something else."""
    # Whoever configured logging in the settings has handlers already; then this does nothing.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
