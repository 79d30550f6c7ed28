"""The mail backends that every project may name."""

from __future__ import annotations

from typing import Final

from .backend import MailBackend
from .console import open_console
from .files import open_files
from .memory import open_memory
from .smtp import open_smtp

__all__ = ["CONSOLE", "FILE", "MEMORY", "SMTP"]

CONSOLE: Final = MailBackend(name="console", open=open_console)
FILE: Final = MailBackend(name="file", open=open_files)
MEMORY: Final = MailBackend(name="memory", open=open_memory)
SMTP: Final = MailBackend(name="smtp", open=open_smtp)
