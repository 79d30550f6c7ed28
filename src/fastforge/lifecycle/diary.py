"""Diary: a line in a file for whatever opens and closes in a process, for who watches a stop."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Mapping
from typing import Final, Literal

from .role import Role

__all__ = ["DIARY_VARIABLE", "Diary", "Event"]

DIARY_VARIABLE: Final = "FASTFORGE_LIFECYCLE_LOG"

Event = Literal["starting", "opened", "running", "stopping", "closed", "not closed", "ended"]

logger = logging.getLogger("fastforge.lifecycle")


class Diary:
    """Appends one JSON object a line: `time`, `pid`, `role`, `event` and, of a resource, its name.

    Several processes may write to one file: a line is one write to its end. A process that is
    killed leaves lines without their counterparts, which is what they are for.

    Args:
        path: The file; an empty text for no diary.
        role: The kind of process.
    """

    def __init__(self, path: str, role: Role) -> None:
        self._path = path
        self._role = role

    @classmethod
    def of(cls, role: Role, environ: Mapping[str, str] | None = None) -> Diary:
        """Return the diary that FASTFORGE_LIFECYCLE_LOG asks for.

        Args:
            role: The kind of process.
            environ: The environment; the process's own.
        """
        variables = os.environ if environ is None else environ
        return cls(variables.get(DIARY_VARIABLE, ""), role)

    def write(self, event: Event, resource: str = "") -> None:
        """Write a line. A file that cannot be written is a warning, and the end of the diary."""
        if not self._path:
            return
        line: dict[str, object] = {"time": time.time(), "pid": os.getpid(), "role": self._role}
        line |= {"event": event} | ({"resource": resource} if resource else {})
        try:
            number = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(number, json.dumps(line).encode() + b"\n")
            finally:
                os.close(number)
        except OSError as error:
            logger.warning("%s cannot be written: %s", DIARY_VARIABLE, error.strerror)
            self._path = ""
