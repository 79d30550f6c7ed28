"""Queues: which a worker takes jobs from, and how many of each at the same time, as text."""

from __future__ import annotations

from collections.abc import Iterable

from ..exceptions import TaskError

__all__ = ["parse_queues"]


def parse_queues(texts: Iterable[str]) -> dict[str, int | None]:
    """Return the limit of each queue, or None, from `name` and `name:limit`.

    Raises:
        TaskError: A limit is no whole number from 1 on, a name is empty or is given twice.
    """
    limits: dict[str, int | None] = {}
    for text in texts:
        name, sign, limit = text.partition(":")
        name = name.strip()
        if not name or (sign and not _is_limit(limit.strip())):
            raise _refused(text, f"{text!r} is neither NAME nor NAME:LIMIT")
        if name in limits:
            raise _refused(text, f"the queue {name!r} is given twice")
        limits[name] = int(limit) if sign else None
    return limits


def _is_limit(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) >= 1


def _refused(text: str, message: str) -> TaskError:
    return TaskError(
        f"--queues: {message}",
        code="tasks.E065",
        hint="write names with commas between, and after a colon how many jobs of that queue run"
        " at the same time in each process, at least 1: --queues mail,reports:2",
    )
