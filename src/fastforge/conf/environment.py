"""Environment: the variables a project sees, and which of three environments it is in."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .._utils import did_you_mean
from ..exceptions import ForgeError, Location, SettingsError

__all__ = ["ENVIRONMENTS", "Environment", "read_environment"]

ENVIRONMENTS: Final = ("development", "test", "production")
VARIABLE: Final = "FASTFORGE_ENV"

_VARIABLE_NAME: Final = re.compile(r"(?:export )?[A-Z][A-Z0-9_]*(?=[\s=])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a settings module can see of the outside.

    Args:
        name: `development`, `test` or `production`.
        variables: The real environment over `.env`.
        dotenv: The variables that only `.env` gives, with their lines.
        errors: Mistakes in `.env` or in FASTFORGE_ENV.
    """

    name: str
    variables: Mapping[str, str]
    dotenv: Mapping[str, Location]
    errors: tuple[ForgeError, ...]


def read_environment(root: Path, environ: Mapping[str, str] | None = None) -> Environment:
    """Read the environment of the project at `root`.

    `.env` beside `pyproject.toml` is read unless the real environment says `production` or
    `test`; a real variable always wins over it. An environment that says nothing is production.
    """
    real = os.environ if environ is None else environ
    errors: list[ForgeError] = []
    dotenv: dict[str, tuple[str, Location]] = {}
    if real.get(VARIABLE) not in ("production", "test"):
        dotenv = _read_dotenv(root / ".env", errors)
    only_there = {name: place for name, (_, place) in dotenv.items() if name not in real}
    variables = {name: value for name, (value, _) in dotenv.items()} | dict(real)
    name = variables.get(VARIABLE, "production")
    if name not in ENVIRONMENTS:
        errors.append(_unknown(name, only_there.get(VARIABLE)))
        name = "production"
    return Environment(name=name, variables=variables, dotenv=only_there, errors=tuple(errors))


def _read_dotenv(path: Path, errors: list[ForgeError]) -> dict[str, tuple[str, Location]]:
    if not path.is_file():
        return {}
    from dotenv.parser import parse_stream  # only a project with a `.env` pays for it

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        errors.append(
            SettingsError(
                f".env cannot be read: {reason}",
                code="conf.E019",
                hint="let this user read it, and save it as UTF-8",
                where=str(path),
            )
        )
        return {}
    found: dict[str, tuple[str, Location]] = {}
    for binding in parse_stream(io.StringIO(text)):
        place = Location(str(path), binding.original.line)
        if binding.error or (binding.key and binding.value is None):
            errors.append(_unreadable(binding.original.string, place))
        elif binding.key and binding.value is not None:
            found[binding.key] = (binding.value, place)
    return found


def _unreadable(line: str, place: Location) -> SettingsError:
    # No more than a name is shown: what follows, and a line that is none, may be a secret.
    name = _VARIABLE_NAME.match(line.strip())
    return SettingsError(
        "a line of .env cannot be read" + (f": it begins with {name[0]}" if name else ""),
        code="conf.E011",
        hint="write NAME=value, with quotes around a value that has spaces or #",
        where=place,
    )


def _unknown(name: str, place: Location | None) -> SettingsError:
    return SettingsError(
        f"{VARIABLE} is {name!r}, which is no environment",
        code="conf.E012",
        hint=did_you_mean(name, ENVIRONMENTS) or f"use one of {', '.join(ENVIRONMENTS)}",
        where=place,
    )
