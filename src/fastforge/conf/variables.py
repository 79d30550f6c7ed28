"""env(): read the environment inside a settings module, typed and recorded."""

from __future__ import annotations

import json
import os
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar, overload

from .._utils import nearest
from ..exceptions import SettingsError
from .recording import MISSING, EnvVariable, Placeholder, caller, current, keyword_location, record
from .redaction import is_secret_name, masked

__all__ = ["Env", "env"]

T = TypeVar("T")


class Env:
    """Reads environment variables: `env("NAME", type, default=, help=)`.

    Surprises: the value is parsed by pydantic, so `env("PORT", int)` is an int and
    `env("HOSTS", list[str])` splits at commas (or reads a JSON array). Without a type, the
    default's type is used, and `str` without one. A variable that is missing or wrong is
    noted with its place and reported together with every other mistake of the module. An empty
    variable counts as set.

    ```python
    PAGE_SIZE = env("PAGE_SIZE", int, default=20, help="Articles on a page")
    SECRET_KEY = env.secret("SECRET_KEY")
    ```
    """

    @overload
    def __call__(self, name: str, /, *, help: str = ...) -> str: ...
    @overload
    def __call__(self, name: str, /, *, default: T, help: str = ...) -> T: ...
    @overload
    def __call__(self, name: str, type: type[T], /, *, help: str = ...) -> T: ...
    @overload
    def __call__(self, name: str, type: type[T], /, *, default: T, help: str = ...) -> T: ...
    def __call__(
        self, name: str, type: Any = None, /, *, default: Any = MISSING, help: str = ""
    ) -> Any:
        """Return one variable, parsed.

        Args:
            name: The variable's full name.
            type: What to parse the text as.
            default: The value when the variable is not set; without one it must be set.
            help: One line for `.env.example` and the settings reference.

        Raises:
            SettingsError: Outside of a load only: the variable is missing or wrong.
        """
        return _read(name, type, default, help, secret=False)

    @overload
    def secret(self, name: str, /, *, help: str = ...) -> str: ...
    @overload
    def secret(self, name: str, /, *, default: str, help: str = ...) -> str: ...
    def secret(self, name: str, /, *, default: Any = MISSING, help: str = "") -> str:
        """Return a secret text, from `NAME` or from the file that `NAME_FILE` names.

        Its value is masked in everything that fastforge prints.
        """
        value: str = _read(name, str, default, help, secret=True)
        return value


env = Env()


def _read(name: str, type_: Any, default: Any, help_text: str, *, secret: bool) -> Any:
    if type_ is None:
        type_ = str if default is MISSING or default is None else type(default)
    text, source = _text(name, secret=secret)
    _note(name, type_, default, help_text, secret, source)
    if isinstance(text, Placeholder):
        return text
    if text is None and default is MISSING:
        return _missing(name, type_, secret=secret)
    if secret:
        _remember(default if text is None else text)
    return default if text is None else _parse(name, text, type_, secret=secret)


def _remember(secret: object) -> None:
    """Have a secret masked wherever it would be shown."""
    state = current()
    if state is not None and secret:
        state.secrets.add(str(secret))


def _note(name: str, type_: Any, default: Any, help_text: str, secret: bool, source: str) -> None:
    state = current()
    if state is None:
        return
    state.variables.append(
        EnvVariable(
            name=name,
            type=type_,
            default=default,
            help=help_text,
            secret=secret,
            location=keyword_location(caller()),
            source=source,
        )
    )


def _text(name: str, *, secret: bool) -> tuple[str | None, str]:
    """Return a variable's text and a word for where it came from."""
    environ = _environ()
    state = current()
    if secret and f"{name}_FILE" in environ:
        if name in environ:
            return _fail(
                f"both {name} and {name}_FILE are set", "conf.E009", "unset one of them"
            ), "environment"
        return _from_file(f"{name}_FILE", environ[f"{name}_FILE"]), f"file of {name}_FILE"
    if name not in environ:
        return None, "default"
    return environ[name], ".env" if state and name in state.dotenv else "environment"


def _environ() -> Mapping[str, str]:
    state = current()
    return os.environ if state is None else state.environ


def _from_file(variable: str, path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read().removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        return _fail(
            f"{variable} names {path!r}, which cannot be read: {reason}",
            "conf.E010",
            "mount the secret there or correct the path",
        )
    return text


def _parse(name: str, text: str, type_: Any, *, secret: bool) -> Any:
    if type_ is str:
        return text
    from pydantic import TypeAdapter, ValidationError  # so that `env` of texts stays light

    try:
        return TypeAdapter(type_).validate_python(_structure(text, type_))
    except (ValidationError, json.JSONDecodeError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        got = "its value" if secret or is_secret_name(name) else _shown(text)
        return _fail(
            f"the environment variable {name} should be {type_name(type_)}, got {got}: {reason}",
            "conf.E008",
            f"for example {name}={example(type_)}",
        )


def _shown(text: str) -> str:
    """Return a text that is wrong, without the password of a URL in it."""
    state = current()
    return masked(repr(text), state.secrets if state else ())


def _structure(text: str, type_: Any) -> Any:
    """Return the text as the rough shape of its type; pydantic then does the rest."""
    needed = without_none(type_)
    if needed is not type_ and text.strip().casefold() in ("", "none", "null"):
        return None
    origin = typing.get_origin(needed) or needed
    if origin in (dict, list, tuple, set, frozenset) and text.strip()[:1] in ("[", "{"):
        return json.loads(text)
    if origin in (list, tuple, set, frozenset):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def without_none(type_: Any) -> Any:
    """Return what `type_` is unless it is None: `list[str]` of `list[str] | None`."""
    members = typing.get_args(type_)
    is_union = typing.get_origin(type_) in (typing.Union, types.UnionType)
    if not is_union or type(None) not in members:
        return type_
    return typing.Union[tuple(each for each in members if each is not type(None))]  # noqa: UP007


def _missing(name: str, type_: Any, *, secret: bool) -> Any:
    near = nearest(name, _environ(), likeness=0.8)
    if near:
        hint = f"did you mean {near!r}?"
    elif secret:
        hint = "set it, on a laptop in .env, which is read in development only"
    else:
        hint = f"set it, for example {name}={example(type_)}, or give a default"
    file_too = f" or {name}_FILE" if secret else ""
    return _fail(f"the environment variable {name}{file_too} is not set", "conf.E007", hint)


def _fail(message: str, code: str, hint: str) -> Placeholder:
    where = keyword_location(caller())
    record(SettingsError(message, code=code, hint=hint, where=where))
    return Placeholder()


def type_name(type_: Any) -> str:
    """Return a type as it would be written: `int`, `list[str]`."""
    return type_.__name__ if isinstance(type_, type) and not typing.get_args(type_) else str(type_)


def example(type_: Any) -> str:
    """Return a text that parses as a type, for hints and `.env.example`."""
    type_ = without_none(type_)
    origin = typing.get_origin(type_) or type_
    samples = {bool: "true", int: "10", float: "1.5", list: "a,b", tuple: "a,b", set: "a,b"}
    return samples.get(origin, "{}" if origin is dict else "...")
