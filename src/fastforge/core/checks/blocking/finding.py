"""Finding: the messages of all modules of a project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ....checks import Message
from ..source import AppModule
from .evaluation import Reader
from .scanning import Scanner
from .sources import coroutine_functions, is_scanned
from .telling import message_of

__all__ = ["messages_of"]


def messages_of(modules: Iterable[AppModule], reader: Reader) -> Iterator[Message]:
    """Yield a message for each call in an `async def` of the modules that blocks.

    Args:
        modules: Those that are looked at; tests and commands are left out.
        reader: Tells what their expressions mean.
    """
    scanner = Scanner(reader)
    for module in modules:
        if is_scanned(module):
            for name, function in coroutine_functions(reader.module(module)):
                for found in scanner.blocking_in(function):
                    yield message_of(found, name, module)
