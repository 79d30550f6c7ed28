"""Check: a question about a project that can be answered without starting it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, overload

from ..components import Kind
from ..exceptions import Location

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["CHECKS", "Check", "Level", "Message", "check"]


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
    """

    id: str
    level: Level
    text: str
    hint: str = ""
    where: Location | None = None

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.level.name.lower()} [{self.id}] {place}{self.text}{hint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A declared check; `deploy` ones run only for `manage check --deploy`."""

    name: str
    function: Callable[[Any], Iterable[Message]]
    deploy: bool = False


@overload
def check(function: Callable[[Project], Iterable[Message]], /) -> Check: ...
@overload
def check(*, deploy: bool = ...) -> Callable[[Callable[[Project], Iterable[Message]]], Check]: ...
def check(function: Any = None, /, *, deploy: bool = False) -> Any:
    """Declare a check, in an app's `checks.py`: a function from the project to messages.

    ```python
    @check(deploy=True)
    def sender_is_real(project: Project) -> Iterator[Message]:
        if project.settings.section(Mail).sender.endswith("example.com"):
            yield Message(id="mail.W001", level=Level.WARNING, text="the sender is an example")
    ```
    """

    def declare(function: Callable[[Project], Iterable[Message]]) -> Check:
        return Check(name=function.__name__, function=function, deploy=deploy)

    return declare if function is None else declare(function)


CHECKS: Final = Kind(name="checks", type=Check, module="checks", home=lambda check: check.function)
