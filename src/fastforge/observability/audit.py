"""Audit: lines by which one sees afterwards what has happened, declared with what they mean."""

from __future__ import annotations

import logging
from dataclasses import dataclass

__all__ = ["AuditEvent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """Something that an audit asks for; an app has a subclass, whose `tell` says what is known.

    The line is written by the logger of the first word of its name: `auth.login` by
    `fastforge.auth`.

    Args:
        name: What its line is called.
        level: How serious it is.
        help: What it means.
    """

    name: str
    level: int
    help: str

    def write(self, user_id: object = None, **fields: str | None) -> None:
        """Write the line.

        Args:
            user_id: Whom it is about, if that is known.
            fields: What else is; those that are empty are left out. Never what was typed, nor what
                a cookie or a session holds.
        """
        known = {"user_id": None if user_id is None else str(user_id), **fields}
        told = {name: value for name, value in known.items() if value}
        app = self.name.partition(".")[0]
        logging.getLogger(f"fastforge.{app}").log(self.level, self.name, extra=told)
