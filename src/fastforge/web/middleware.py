"""Middleware: an ASGI layer as a value, for the settings or an app's `middleware.py`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType, ModuleType
from typing import Any, Final, Self

from .._modules import import_object
from .._utils import did_you_mean, failing_line, first_line, import_hint, told
from ..exceptions import ComponentError

__all__ = ["Middleware", "Slot"]

_NAMED: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Slot(StrEnum):
    """Where a layer stands.

    `APP` is where `app.add_middleware` puts one: around error handling and routing. `ROUTER` is
    the innermost place, around the router alone: it sees the answer that the handlers for
    exceptions have made of what a route raised. That no route fits passes it as an exception.
    """

    APP = "app"
    ROUTER = "router"


class Middleware:
    """A frozen description of one ASGI layer: `cls(app, **options)` makes the layer.

    ```python
    MIDDLEWARE = ["shop.timing.Timing", Middleware(GZipMiddleware, minimum_size=500)]
    ```

    Surprises: the first of several is the outermost. Those of the settings stand outside those
    of the apps, which stand in the order of INSTALLED_APPS. Options that the class does not take
    are refused before anything is made, by what its signature says.

    Args:
        cls: The class or function that is given the inner application, or its dotted path, which
            is imported when the application is built.
        slot: Where it stands.
        options: Its keyword arguments.
    """

    __slots__ = ("cls", "options", "slot")

    cls: Callable[..., Any] | str
    slot: Slot
    options: Mapping[str, Any]

    def __init__(
        self, cls: Callable[..., Any] | str, /, *, slot: Slot = Slot.APP, **options: Any
    ) -> None:
        object.__setattr__(self, "cls", cls)
        object.__setattr__(self, "slot", Slot(slot))
        object.__setattr__(self, "options", MappingProxyType(options))

    @classmethod
    def of(cls, entry: object) -> Self:
        """Return an entry of the setting MIDDLEWARE as a Middleware.

        Raises:
            ComponentError: It is neither a dotted path nor a Middleware.
        """
        if isinstance(entry, cls):
            return entry
        if isinstance(entry, str):
            return cls(entry)
        kind = type(entry)
        # What else it holds may be secret.
        shown = repr(entry) if isinstance(entry, int | type) else f"a {kind.__qualname__}"
        hint = "write its dotted path, or Middleware(cls, **options)"
        if kind.__name__ == cls.__name__:
            shown, hint = f"the {kind.__name__} of {kind.__module__}", f"{hint} of fastforge.web"
        raise ComponentError(f"{shown} is no middleware", code="web.E003", hint=hint)

    def load(self) -> Callable[..., Any]:
        """Return the class, imported when it is given as a dotted path.

        Raises:
            ComponentError: The path leads to nothing that can be called.
        """
        if not isinstance(self.cls, str):
            return self.cls
        try:
            found: object = import_object(self.cls)
        except Exception as error:  # its module is anybody's code
            reason, hint = _unimportable(self.cls, error)
            raise ComponentError(
                f"the middleware {self.cls!r} cannot be imported: {reason}",
                code="web.E004",
                hint=hint,
                where=failing_line(error),
            ) from error
        if callable(found):
            return found
        raise ComponentError(
            f"the middleware {self.cls!r} is no class but a {type(found).__name__}",
            code="web.E005",
            hint="name the class in it" if isinstance(found, ModuleType) else "name a class",
        )

    def validate(self) -> None:
        """Refuse what cannot become a layer; nothing is made, so that nothing is opened.

        Raises:
            ComponentError: The path leads to nothing that can be called, or the options do not
                fit what it leads to.
        """
        factory = self.load()
        _refuse_no_factory(self.name, factory)
        try:
            signature = inspect.signature(factory)
        except (TypeError, ValueError):  # written in C: it says so itself when it is called
            return
        try:
            signature.bind(None, **self.options)
        except TypeError as error:
            problem, hint = _misfit(signature, self.options)
            raise ComponentError(
                f"the middleware {self.name} cannot be made: {problem or error}",
                code="web.E007",
                hint=hint,
            ) from error
        _refuse_no_layer(self.name, factory)

    @property
    def name(self) -> str:
        """What people call it: the class's name, or the dotted path in quotes."""
        if isinstance(self.cls, str):
            return repr(self.cls)
        return str(getattr(self.cls, "__name__", type(self.cls).__name__))

    def wrap(self, app: Any) -> Any:
        """Return the layer around an ASGI application."""
        return self.load()(app, **self.options)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Middleware is frozen: {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Middleware is frozen: {name!r} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Middleware) and (self.cls, self.slot, self.options) == (
            other.cls,
            other.slot,
            other.options,
        )

    def __hash__(self) -> int:
        return hash((self.cls, self.slot, tuple(sorted(self.options))))

    def __repr__(self) -> str:
        name = self.cls if isinstance(self.cls, str) else getattr(self.cls, "__name__", self.cls)
        slot = "" if self.slot is Slot.APP else f", slot=Slot.{self.slot.name}"
        options = "".join(f", {key}={value!r}" for key, value in self.options.items())
        return f"Middleware({name}{slot}{options})"


def _unimportable(path: str, error: Exception) -> tuple[str, str]:
    """Return why a dotted path leads to nothing, and what to do about it."""
    example = (
        "write the dotted path of a class, for example 'starlette.middleware.gzip.GZipMiddleware'"
    )
    if "." not in path:
        return "it has no module", example
    if isinstance(error, AttributeError):
        near = (
            did_you_mean(error.name or "", vars(error.obj))
            if isinstance(error.obj, ModuleType)
            else ""
        )
        return first_line(str(error)), near or example
    if isinstance(error, ImportError):
        return first_line(str(error)), import_hint(error) or example
    return told(error), import_hint(error) or "mend that line"


def _refuse(name: str, fault: str, hint: str) -> None:
    raise ComponentError(f"the middleware {name} is {fault}", code="web.E005", hint=hint)


def _refuse_no_factory(name: str, factory: Any) -> None:
    kind: type = type(factory)
    if inspect.iscoroutinefunction(factory):
        hint = (
            "name a class, or a function that is given the inner application and returns"
            " `async def layer(scope, receive, send)`"
        )
        _refuse(name, "an async function, which makes no layer", hint)
    if inspect.iscoroutinefunction(getattr(kind, "__call__", None)):  # noqa: B004
        _refuse(name, "a layer already", f"name its class: Middleware({kind.__name__}, **options)")


def _refuse_no_layer(name: str, factory: Any) -> None:
    if not isinstance(factory, type) or any("__new__" in vars(each) for each in _own(factory)):
        return  # what it makes shows when it is called
    if not any("__call__" in vars(each) for each in _own(factory)):
        hint = "give it `async def __call__(self, scope, receive, send)`"
        _refuse(name, "a class whose objects cannot be called", hint)


def _own(kind: type) -> tuple[type, ...]:
    return kind.__mro__[:-1]  # without `object`


def _misfit(signature: inspect.Signature, options: Mapping[str, Any]) -> tuple[str, str]:
    """Return which option a layer does not take, or does not get, and what to do about it."""
    others = list(signature.parameters.values())[1:]  # the first is the inner application
    taken = {each.name: each for each in others if each.kind in _NAMED}
    unknown = [name for name in options if name not in taken]
    if unknown and not any(each.kind is each.VAR_KEYWORD for each in others):
        names = ", ".join(taken) or "none"
        hint = did_you_mean(unknown[0], taken) or f"its options: {names}"
        return f"it has no option {unknown[0]!r}", hint
    missing = [
        name for name, each in taken.items() if each.default is each.empty and name not in options
    ]
    if missing:
        given = ", ".join(f"{name}=..." for name in missing)
        return f"it needs {' and '.join(missing)}", f"write Middleware(cls, {given})"
    return "", "it has to take the inner application, and then its options by name"
