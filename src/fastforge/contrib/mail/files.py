"""The backend `file`: each message becomes an .eml file, which mail programs open."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio.to_thread

from ..._utils import told
from ...lifecycle import Container
from .backend import Delivery, MailTransport
from .errors import MailUnavailable
from .letter import Letter
from .settings import Mail

__all__ = ["open_files"]


@asynccontextmanager
async def open_files(container: Container) -> AsyncIterator[MailTransport]:
    """Give the transport; the folder is made with the first message."""
    settings = container.settings
    yield _Files(settings.root / settings.section(Mail).folder)


class _Files:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def deliver(self, letter: Letter, /) -> Delivery:
        try:
            await anyio.to_thread.run_sync(self._write, letter)
        except OSError as error:
            raise MailUnavailable(
                f"a message cannot be written into {self._folder}: {told(error)}",
                code="mail.E006",
                hint="see whether the folder may be written to",
            ) from error
        return Delivery()

    def _write(self, letter: Letter) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        # One that is tried twice is one file, as its reader would want it.
        moment = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
        word = letter.message_id.strip("<>").partition("@")[0]
        known = next(self._folder.glob(f"*-{word}.eml"), None)
        file = known or self._folder / f"{moment}-{word}.eml"
        half = file.with_suffix(".part")
        half.write_bytes(letter.content.encode("ascii"))
        os.replace(half, file)
