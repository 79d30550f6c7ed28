"""Attending: who is in which room by this process, told to the others for as long as it lives."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.sql.elements import TextClause

from ....channels import ChannelError
from . import statements
from .asking import Asking
from .telling import CHANGED, rest_of

__all__ = ["Attending"]

LEASE_S: Final = 30.0
"""How long those are there whom a process has told of, unless it tells again."""


class Attending:
    """Keeps who is there in two tables: processes that are renewed, and whom each of them has.

    Args:
        asking: Runs statements.
        prefix: What the names of rooms begin with in the tables.
        channel: Where others hear that somebody came, or went.
    """

    def __init__(self, asking: Asking, *, prefix: str, channel: str) -> None:
        self._asking = asking
        self._prefix = prefix
        self._channel = channel
        self._here: dict[tuple[str, str], str] = {}
        self._changes = 0
        self._differs = False
        self._lease: Final = {"process": secrets.token_hex(8), "lease_s": LEASE_S}

    async def enter(self, name: str, key: str, shown: bytes) -> None:
        """Let somebody be in a room, by this process."""
        self._here[name, key] = shown.decode()
        (row,) = await self._write(
            statements.ENTER, name=self._place(name), key=key, shown=shown.decode(), **self._lease,
            **self._change(name),
        )  # fmt: skip
        if row.is_new:
            await self._restore()

    async def leave(self, name: str, key: str) -> None:
        """Let them be in it no more, as far as this process knows."""
        self._here.pop((name, key), None)
        await self._write(
            statements.LEAVE, name=self._place(name), key=key, process=self._lease["process"],
            **self._change(name),
        )  # fmt: skip

    async def present(self, name: str) -> Mapping[str, bytes]:
        """Return who is there."""
        rows = await self._asking.ask(statements.PRESENT, name=self._place(name))
        return {row.key: row.shown.encode() for row in rows}

    async def renew(self, here: Mapping[str, Sequence[str]]) -> None:
        """Let those be there that this process knows; also when others have given it up."""
        known = {(name, key) for name, keys in here.items() for key in keys}
        self._here = {place: shown for place, shown in self._here.items() if place in known}
        (row,) = await self._asking.ask(statements.RENEW, **self._lease)
        if row.is_new or self._differs:
            await self._restore()

    async def _write(self, statement: TextClause, **parameters: object) -> Sequence[Row[Any]]:
        self._changes += 1
        try:
            return await self._asking.ask(statement, **parameters)
        except ChannelError:
            self._differs = True  # until the next renewal
            raise

    async def _restore(self) -> None:
        """Write who is here, and nobody else: it may be gone, or never have been written."""
        changes = self._changes
        await self._asking.ask(
            statements.RESTORE,
            process=self._lease["process"],
            names=[self._place(name) for name, _ in self._here],
            keys=[key for _, key in self._here],
            shown=[*self._here.values()],
        )
        self._differs = changes != self._changes  # somebody may have gone while it was written

    def _place(self, name: str) -> str:
        return f"{self._prefix}{name}"

    def _change(self, name: str) -> dict[str, str]:
        return {"channel": self._channel, "changed": f"{CHANGED} 0{rest_of(name)}"}
