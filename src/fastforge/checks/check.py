"""Check: a question about a project that can be answered without starting it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, overload

from ..components import Kind
from ..components.functions import refuse_unless_plain
from ..exceptions import ComponentError, Location

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["CHECKS", "Check", "Connects", "Level", "Message", "check"]

Connects: TypeAlias = Literal["database", "redis"]
"""What a check may connect to, when it is asked to: `manage check --database`, `--redis`."""


class Level(IntEnum):
    """How serious a message is; `manage check` fails at `ERROR` unless told otherwise."""

    INFO = 20
    WARNING = 30
    ERROR = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a check found.

    Args:
        id: Stable, `room.W` or `room.E` and three digits; the reference has an entry for each,
            and SILENCED_CHECKS may name it.
        level: How serious it is.
        text: What is so, in one sentence.
        hint: What to do.
        where: The place to look at.
        tags: What it is about; the tags of its check are added.
    """

    id: str
    level: Level
    text: str
    hint: str = ""
    where: Location | None = None
    tags: frozenset[str] = frozenset()

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.level.name.lower()} [{self.id}] {place}{self.text}{hint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A declared check.

    Args:
        name: Unique in the project; the function's name.
        function: Gives the messages.
        tags: What it is about.
        deploy: Whether it runs only for `manage check --deploy`.
        connects: What it connects to; it runs only for the option of that name.
    """

    name: str
    function: Callable[[Any], Iterable[Message] | AsyncIterable[Message]]
    tags: frozenset[str] = frozenset()
    deploy: bool = False
    connects: Connects | None = None


@overload
def check(function: Callable[[Project], Iterable[Message]], /) -> Check: ...
@overload
def check(
    *, tags: Iterable[str] = ..., deploy: bool = ...
) -> Callable[[Callable[[Project], Iterable[Message]]], Check]: ...
@overload
def check(
    *, connects: Connects, tags: Iterable[str] = ..., deploy: bool = ...
) -> Callable[[Callable[[Project], AsyncIterable[Message]]], Check]: ...
def check(
    function: Any = None,
    /,
    *,
    connects: Connects | None = None,
    tags: Iterable[str] = frozenset(),
    deploy: bool = False,
) -> Any:
    """Declare a check, in an app's `checks.py`: a function from the project to messages.

    An exception in it becomes a message with the line that failed; the other checks still run.

    ```python
    @check(tags={"mail"}, deploy=True)
    def sender_is_real(project: Project) -> Iterator[Message]:
        if project.settings.section(Mail).sender.endswith("example.com"):
            yield Message(id="mail.W001", level=Level.WARNING, text="the sender is an example")
    ```

    Args:
        connects: What it connects to. It runs only when that is asked for, as with `manage check
            --database`, and is written with `async def` and `yield`: it opens what it asks, and
            closes it.
        tags: What it is about, for `manage check --tag`.
        deploy: Whether it matters in production alone.

    Raises:
        ComponentError: It does not decorate a plain function, since a check opens and awaits
            nothing; or with `connects` no async function with a `yield`.
    """
    wanted = frozenset({tags} if isinstance(tags, str) else tags)

    def declare(function: Any) -> Check:
        _refuse_other_than_plain(function) if connects is None else _refuse_plain(function)
        return Check(
            name=function.__name__,
            function=function,
            tags=wanted,
            deploy=deploy,
            connects=connects,
        )

    return declare if function is None else declare(function)


def _refuse_other_than_plain(function: Any) -> None:
    refuse_unless_plain(
        function,
        decorator="@check",
        code="checks.E003",
        hint="write `def`: a check looks at what is declared, and opens nothing",
    )


def _refuse_plain(function: Any) -> None:
    if not inspect.isasyncgenfunction(function):
        raise ComponentError(
            f"@check(connects=...) decorates {getattr(function, '__name__', function)!r},"
            " which is no async function with a yield",
            code="checks.E005",
            hint="write `async def`, open what it asks, and yield messages",
            where=Location.of(function),
        )


CHECKS: Final = Kind(
    name="checks", type=Check, module="checks", home=lambda check: check.function, deferred=True
)
