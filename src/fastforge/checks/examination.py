"""Examination: a look at what a project runs on, made when somebody asks `manage doctor`."""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncIterable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, overload

from ..components import Kind
from ..exceptions import ComponentError, Location
from .check import Level, Message

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["EXAMINATIONS", "Diagnosis", "Examination", "Patient", "Verdict", "examination"]

Verdict: TypeAlias = Literal["ok", "warn", "fail"]
"""How it is: well, unwise, or broken."""

_VERDICTS: Final[dict[Level, Verdict]] = {
    Level.INFO: "ok",
    Level.WARNING: "warn",
    Level.ERROR: "fail",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One row of what `manage doctor` shows.

    Args:
        what: What was looked at, in a word or two: `clock`.
        text: How it is, in a line. Secrets are masked where it is shown.
        verdict: Whether that is well.
        hint: What to do.
        of: Whose row it is, where an examination looks at several things: `database reports`.
        stops: Whether no process of the project can start as long as it is so.
    """

    what: str
    text: str
    verdict: Verdict = "ok"
    hint: str = ""
    of: str = ""
    stops: bool = False

    @classmethod
    def told_by(cls, message: Message, what: str, *, of: str = "") -> Diagnosis:
        """Return what a message of a check says, as a row.

        Args:
            message: The message.
            what: What it is about.
            of: Whose row it is.
        """
        # The line above the rows says already whose they are.
        text = message.text.removeprefix(f"{of.rpartition(' ')[2]}: ") if of else message.text
        verdict = _VERDICTS[message.level]
        return cls(what=what, text=text, verdict=verdict, hint=message.hint, of=of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is examined, and with what.

    Attributes:
        project: The project; nothing of it runs.
        timeout_s: How long one examination may take, in seconds.
        now: The clock of this host: seconds since 1970.
    """

    project: Project
    timeout_s: float = 5
    now: Callable[[], float] = field(default=time.time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """A declared examination.

    Args:
        name: Unique in the project; the function's name.
        title: What stands above its rows.
        function: Gives the rows.
        resources: Resources that are tried by it, and need no other trial.
    """

    name: str
    title: str
    function: Callable[[Any], Iterable[Diagnosis] | AsyncIterable[Diagnosis]]
    resources: tuple[object, ...] = ()


@overload
def examination(function: Callable[[Patient], Any], /) -> Examination: ...
@overload
def examination(
    *, title: str = ..., resources: Iterable[object] = ...
) -> Callable[[Callable[[Patient], Any]], Examination]: ...
def examination(
    function: Any = None, /, *, title: str = "", resources: Iterable[object] = ()
) -> Any:
    """Declare an examination, in an app's `examinations.py`: what `manage doctor` looks at.

    It opens what it asks, with time limits of its own, and closes it. An `async def` with `yield`
    runs beside the others; a plain `def` with `yield`, for what blocks, in a thread.

    ```python
    @examination(title="Search")
    async def search(patient: Patient) -> AsyncIterator[Diagnosis]:
        version = await ask_version(patient.project.settings.section(Search), patient.timeout_s)
        yield Diagnosis(what="server", text=f"version {version}")
    ```

    Surprises: one that takes longer than the time limit is left, and one that raises becomes a
    row; what it has given before is shown.

    Args:
        title: What stands above its rows; its name unless given.
        resources: Resources that it tries: they are not opened and pinged besides.

    Raises:
        ComponentError: It decorates no function with a `yield`.
    """

    def declare(function: Any) -> Examination:
        if not (inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function)):
            raise ComponentError(
                f"@examination decorates {getattr(function, '__name__', function)!r},"
                " which is no function with a yield",
                code="checks.E006",
                hint="write `async def` or `def`, ask, and yield rows: Diagnosis(what=..., ...)",
                where=Location.of(function),
            )
        name = function.__name__
        return Examination(
            name=name,
            title=title or name.replace("_", " ").capitalize(),
            function=function,
            resources=tuple(resources),
        )

    return declare if function is None else declare(function)


EXAMINATIONS: Final = Kind(
    name="examinations",
    type=Examination,
    module="examinations",
    home=lambda examination: examination.function,
    deferred=True,
)
