"""Telling: what blocks as a message, with the chain of calls and what to write instead."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from ....checks import Level, Message
from ....exceptions import Location
from ....observability.blocking_calls import Cause
from ..source import AppModule
from .scanning import Found

__all__ = ["message_of"]

LONGEST_ARGUMENTS: Final = 50

_WITH_IT: Final = "and everything else in this process waits with it"
_LOOP: Final = "raises RuntimeError: it is not for code that an event loop runs already"
_WARNING: Final = Level.WARNING

EFFECTS: Final[Mapping[Cause, Message]] = MappingProxyType(
    {
        "network": Message(
            id="blocking.W001", level=_WARNING, text=f"waits for an answer from outside, {_WITH_IT}"
        ),
        "wait": Message(id="blocking.W002", level=_WARNING, text=f"waits, {_WITH_IT}"),
        "files": Message(
            id="blocking.W003", level=_WARNING, text=f"waits for the disk, {_WITH_IT}"
        ),
        "processor": Message(id="blocking.W004", level=_WARNING, text=f"computes, {_WITH_IT}"),
        "loop": Message(id="blocking.E001", level=Level.ERROR, text=_LOOP),
    }
)
_SHOWN: Final = (("io.IOBase.", "file."), ("dbapi.", ""), ("boto3.client.", "client."))


def message_of(found: Found, name: str, module: AppModule) -> Message:
    """Return what `manage check` says of a call.

    Args:
        found: The call.
        name: The coroutine function that it blocks.
        module: Where that is written.
    """
    chain = [f"{name}()"]
    for helper in found.helpers:
        at = Location(str(helper.file.path), helper.line)
        chain.append(f"{helper.name}() ({at})")
    effect = EFFECTS[found.blocking.cause]
    return replace(
        effect,
        text=f"{' -> '.join(chain)}: {_shown(found.blocking.name)} {effect.text}",
        hint=_cure(found),
        where=Location(str(module.path), found.node.lineno, found.node.col_offset + 1),
    )


def _shown(name: str) -> str:
    for beginning, short in _SHOWN:
        if name.startswith(beginning):
            return short + name.removeprefix(beginning)
    return name


def _cure(found: Found) -> str:
    if found.blocking.cause == "loop":
        return _in_place_of_a_loop(found)
    instead = "" if found.helpers else _with_arguments(found.blocking.instead, found)
    offloaded = _offloaded(found)
    if not instead:
        return offloaded
    written = f"{'write' if instead.startswith(('await ', 'async ')) else 'use'}: {instead}"
    # Who sleeps or waits for a lock in a thread has won nothing.
    return written if found.blocking.cause == "wait" else f"{written}; or {offloaded}"


def _in_place_of_a_loop(found: Found) -> str:
    if found.helpers:
        return f"write {found.helpers[-1].name}() as async def, and await it"
    call = found.node
    if isinstance(call, ast.Call) and call.args and found.blocking.instead == "await it":
        return f"write: await {_short(ast.unparse(call.args[0]))}"
    return "call it as any other function, or await it: nothing has to go back to the event loop"


def _with_arguments(instead: str, found: Found) -> str:
    """Put the arguments of the call into its replacement, if that is the same function."""
    call = found.node
    last = found.blocking.name.rpartition(".")[2]
    if isinstance(call, ast.Call) and f".{last}(...)" in instead:
        return instead.replace("(...)", f"({_arguments(call)})", 1)
    return instead


def _offloaded(found: Found) -> str:
    call = found.node
    is_generator = any(helper.is_generator for helper in found.helpers[:1])
    if found.is_kept or is_generator or not isinstance(call, ast.Call):
        return "move what is done with it into a plain def, and write: await offload(function, ...)"
    function = ast.unparse(call.func)
    if "\n" in function or len(function) > LONGEST_ARGUMENTS:
        return "write: await offload(function, ...)"
    arguments = _arguments(call)
    if call.keywords:
        return f"write: await offload(functools.partial({function}, {arguments}))"
    return f"write: await offload({function}{', ' if arguments else ''}{arguments})"


def _arguments(call: ast.Call) -> str:
    parts = [ast.unparse(each) for each in (*call.args, *call.keywords)]
    return _short(", ".join(parts))


def _short(text: str) -> str:
    return "..." if len(text) > LONGEST_ARGUMENTS or "\n" in text else text
