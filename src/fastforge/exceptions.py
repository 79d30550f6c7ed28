"""Every error that fastforge raises, as one tree.

    ForgeError                      code, message, place, hint; `str()` is one line
    ├── ErrorGroup                  several mistakes of one kind, reported at once
    ├── SettingsError               conf.*        the settings module or the environment
    ├── AppError                    apps.*        an entry of INSTALLED_APPS
    ├── ComponentError              components.*  something an app declares
    ├── DependencyError             lifecycle.*   what cannot be filled (also TypeError)
    ├── ContainerMissing            lifecycle.*   no running project here (also LookupError)
    ├── TaskError                   tasks.*       a task or the call that enqueues it
    ├── CommandError                management.*  wrong use of the command line
    ├── MissingExtraError           an optional dependency is not installed (also ImportError)
    └── StartError                  lifecycle.*   the process could not start: exit code 3
        └── ResourceUnavailable     a resource cannot be reached (now)
            └── ResourceRefused     it answers, and waiting does not help: a wrong password

Rooms add their own branches below these, next to the code that raises them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

__all__ = [
    "AppError",
    "CommandError",
    "ComponentError",
    "ContainerMissing",
    "DependencyError",
    "ErrorGroup",
    "ForgeError",
    "Location",
    "MissingExtraError",
    "ResourceRefused",
    "ResourceUnavailable",
    "SettingsError",
    "StartError",
    "TaskError",
]


@dataclass(frozen=True, slots=True)
class Location:
    """The place in somebody's source where a thing was written.

    `str()` gives `path:line`, or `path:line:column` where one is known, with the path relative to
    the working directory when it lies below it, which terminals and editors turn into a link.
    """

    file: str
    line: int
    column: int = 0

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Self | None:
        """Return where a function was defined, or None for one without Python code."""
        code = getattr(function, "__code__", None)
        return None if code is None else cls(code.co_filename, code.co_firstlineno)

    def __str__(self) -> str:
        column = f":{self.column}" if self.column else ""
        return f"{shown_path(self.file)}:{self.line}{column}"


def shown_path(path: str) -> str:
    """Return a path as it is read best: relative to the working directory when it lies below."""
    try:
        here = os.getcwd()
    except FileNotFoundError:  # a deployment has removed it, and the process goes on
        return path
    return os.path.relpath(path, here) if path.startswith(here + os.sep) else path


class ForgeError(Exception):
    """A mistake or a failure that can be told in one line.

    ```python
    raise ForgeError("no app is called 'blgo'", code="apps.E002", hint="did you mean 'blog'?")
    ```

    Args:
        message: What was got and what is wrong with it, in one sentence without a full stop.
        code: A stable id, `room.E` and three digits; the error reference has an entry for each.
        hint: What to do about it.
        where: The place that the user should look at; a text may be the path of a file.
    """

    exit_code: ClassVar[int] = 2

    def __init__(
        self, message: str, *, code: str, hint: str = "", where: Location | str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        where = shown_path(self.where) if isinstance(self.where, str) else self.where
        place = f"{where}: " if where else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"[{self.code}] {place}{self.message}{hint}"

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword-only arguments are not replayed by Exception's own pickling.
        return (_rebuild, (type(self), self.message, dict(self.__dict__)))


def _rebuild(kind: type[ForgeError], message: str, state: dict[str, Any]) -> ForgeError:
    error = kind.__new__(kind, message)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class ErrorGroup(ForgeError):
    """Several mistakes found in one pass; `str()` has one line for each."""

    def __init__(self, errors: Sequence[ForgeError]) -> None:
        self.errors = tuple(errors)
        super().__init__(f"{len(self.errors)} mistakes", code=self.errors[0].code)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


class SettingsError(ForgeError):
    """A setting is unknown, wrong or missing, or the settings module does not load."""


class AppError(ForgeError):
    """An entry of INSTALLED_APPS cannot be loaded."""


class ComponentError(ForgeError):
    """Something that an app declares clashes, is unknown or cannot be used."""


class DependencyError(ForgeError, TypeError):
    """A function asks for something that cannot be given to it."""


class ContainerMissing(ForgeError, LookupError):
    """Code asked for a running resource outside a running project."""


class TaskError(ForgeError):
    """A task is declared wrongly or is enqueued with arguments that do not fit."""


class CommandError(ForgeError):
    """A command cannot do what was asked of it."""


class MissingExtraError(ForgeError, ImportError):
    """An optional dependency is not installed; the hint is the install line."""


class StartError(ForgeError):
    """The process could not start. Servers, workers and commands exit with code 3."""

    exit_code = 3


class ResourceUnavailable(StartError):
    """A resource cannot be reached; opening it again later may succeed."""


class ResourceRefused(ResourceUnavailable):
    """A resource answers, and takes nobody who comes like this: a start does not try it again.

    A wrong password, a database that does not exist, a certificate that nobody trusts.
    """
