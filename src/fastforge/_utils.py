"""Small pure helpers that every room may use."""

from __future__ import annotations

import builtins
import dataclasses
import functools
import importlib
import inspect
import os
import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType
from typing import Any, Final

from .exceptions import Location, MissingExtraError
from .redaction import redacted_text

DISTRIBUTION: Final = "fastforge-framework"
SHORTEST_BEGINNING: Final = 3
"""How much of a longer name has to be typed before it is taken for an abbreviation."""

_UNEXPECTED: Final = re.compile(
    r"(\w+)(?:\.__init__)?\(\) got an unexpected keyword argument '(\w+)'"
)

_EVENT_LOOP: Final = tuple(
    os.path.join("asyncio", name) for name in ("base_events.py", "runners.py")
)
"""Where a thread is that runs an event loop, be it Python's or uvloop's."""


def nearest(name: str, candidates: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """Return the candidate that a typing mistake or an abbreviation most likely meant, or None.

    Args:
        name: What was typed.
        candidates: What exists.
        likeness: How alike the two have to be, from 0 to 1; a typing mistake is about 0.9.
    """
    import difflib  # only a mistake pays for it

    folded: dict[str, str] = {}
    for candidate in candidates:
        folded.setdefault(candidate.casefold(), candidate)
    found = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=likeness)
    if not found:  # two letters of a short name that changed places
        found = [each for each in folded if sorted(each) == sorted(name.casefold())][:1]
    if not found and len(name) >= SHORTEST_BEGINNING:
        found = [candidate for candidate in folded if candidate.startswith(name.casefold())]
        found = found if len(found) == 1 else []
    return folded[found[0]] if found else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return `did you mean 'X'?`, or an empty string when nothing is near."""
    near = nearest(name, candidates)
    return f"did you mean {near!r}?" if near else ""


def missing_extra(extra: str, package: str) -> MissingExtraError:
    """Return the error for an optional package that is not installed."""
    return MissingExtraError(
        f"the package {package!r} is not installed",
        code="conf.E020",
        hint=f'install it with: pip install "{DISTRIBUTION}[{extra}]"',
    )


def redact(text: str) -> str:
    """Mask what looks like a secret.

    >>> redact("postgresql://shop:s3cret@db/shop")
    'postgresql://shop:***@db/shop'
    """
    return redacted_text(text)


def failing_line(error: BaseException, *, file: str | None = None) -> Location | None:
    """Return the place that a person should look at when their code has failed.

    Args:
        error: What was raised.
        file: Only lines of this file count. Otherwise those of every file that is neither
            installed nor part of the standard library or of this package.
    """
    if isinstance(error, SyntaxError) and error.filename and file in (None, error.filename):
        return Location(error.filename, error.lineno or 1)
    place: Location | None = None
    for frame, line in _frames(error):
        name = frame.f_code.co_filename
        if name == file or (file is None and is_written_by_the_user(name)):
            place = Location(name, line)
    return place


def _frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    """Yield the frames that an error has passed, the innermost last, with their lines."""
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def import_hint(error: BaseException) -> str:
    """Return what most likely was meant by a name that an import or a module does not have.

    Also what to install where a module cannot do without.
    """
    if isinstance(error, ModuleNotFoundError) and error.name:
        package, _, name = error.name.rpartition(".")
        near = nearest(name, _modules_of(package))
        if near:
            return f"did you mean {f'{package}.{near}'.lstrip('.')!r}?"
        verb = "create" if package else "install"
        return f"{verb} {error.name!r} or mend the import"
    if isinstance(error, ImportError) and error.name in sys.modules:
        wanted = re.search(r"cannot import name '(\w+)'", str(error))
        return did_you_mean(wanted[1], vars(sys.modules[error.name])) if wanted else ""
    if isinstance(error, NameError) and error.name:
        known = [frame.f_globals for frame, _ in _frames(error)]
        return did_you_mean(error.name, {*(known[-1] if known else ()), *vars(builtins)})
    if isinstance(error, TypeError):
        return _argument_meant(error)
    if isinstance(error, RuntimeError) and "python-multipart" in str(error):  # FastAPI, of a form
        return f'install it with: pip install "{DISTRIBUTION}[forms]"'
    return ""


def _argument_meant(error: TypeError) -> str:
    """Return the nearest parameter where a call named one that is not there."""
    wanted = _UNEXPECTED.match(str(error))
    known = [frame.f_globals for frame, _ in _frames(error)]
    called = known[-1].get(wanted[1]) if wanted and known else None
    if wanted is None or not callable(called):
        return ""
    try:
        return did_you_mean(wanted[2], inspect.signature(called).parameters)
    except ValueError:  # one that is written in C may not tell its parameters
        return ""


def _modules_of(package: str) -> Iterator[str]:
    paths = getattr(sys.modules.get(package), "__path__", None)
    if paths is not None:
        yield from (found.name for found in pkgutil.iter_modules(paths))


def is_written_by_the_user(file: str) -> bool:
    """Return whether a file is not installed, not of the standard library and not of ours."""
    folders = (os.path.dirname(__file__), os.path.dirname(os.__file__))
    foreign = file.startswith(tuple(f"{folder}{os.sep}" for folder in folders))
    foreign = foreign or f"-packages{os.sep}" in file
    return os.path.isfile(file) and not foreign


def calling_line() -> Location | None:
    """Return the innermost line of the user's code that runs here, or None.

    An event loop ends the search: the lines that run the loop have not called what runs on it.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not frame.f_code.co_filename.endswith(_EVENT_LOOP):
        if is_written_by_the_user(frame.f_code.co_filename):
            return Location(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None


def without_partials(call: Any) -> Any:
    """Return what `functools.partial` objects call in the end."""
    while isinstance(call, functools.partial):
        call = call.func
    return call


def where_written(value: Any) -> Location | None:
    """Return where a function or class is written, behind decorators that keep it.

    None of one that is written in C, or made by a program.
    """
    value = inspect.unwrap(value)
    place = Location.of(value)
    if place is not None:  # reading the source would take a hundred times as long
        return place if os.path.isfile(place.file) else None
    try:
        return Location(inspect.getsourcefile(value) or "", inspect.getsourcelines(value)[1])
    except (TypeError, OSError):
        return None


def told(error: BaseException) -> str:
    """Return an error that is not ours in one line, without passwords: its type and its text."""
    text = first_line(redact(text_of(error)))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def text_of(error: BaseException) -> str:
    """Return what an error says, whatever its `__str__` does: that is anybody's code."""
    try:
        return str(error)
    except KeyboardInterrupt:
        raise
    except BaseException as failure:
        return f"<its text cannot be had: {type(failure).__name__}>"


def first_line(text: str) -> str:
    """Return the first line that is not empty, without surrounding space."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def printable(text: str) -> str:
    """Return a text so that it cannot steer a terminal, nor pass for more than one line.

    >>> print(printable("a\x1b[2Jb\nc"))
    a\\x1b[2Jb\\nc
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in text.replace("\t", "    ")
    )


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun: `1 job`, `2 jobs`, `1,000 jobs`.

    Args:
        count: The number.
        one: What stands behind a one: `job`, or `job is held`.
        many: What stands behind any other; that with an s unless given.
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def known_fields(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a dataclass has fields for; a newer version may have written more."""
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: value for name, value in values.items() if name in names}


def lazy_attribute(package: str, homes: Mapping[str, str], name: str) -> object:
    """Import a name that a package re-exports lazily: the body of its `__getattr__`.

    Args:
        package: The package's `__name__`.
        homes: Each public name and the submodule that defines it.
        name: The name asked for.
    """
    if name not in homes:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
    setattr(sys.modules[package], name, value)
    return value
