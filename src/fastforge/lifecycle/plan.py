"""Plan: how a function's parameters are filled outside a request, worked out once, without I/O."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from fastapi.params import Depends

from .._utils import told, without_partials
from ..exceptions import DependencyError, Location
from .dependencies import ResourceReader, injected
from .resource import Resource

__all__ = ["Dependency", "Plan", "plan"]

_OF_A_REQUEST: Final = frozenset(
    {"Request", "Response", "WebSocket", "HTTPConnection", "BackgroundTasks", "SecurityScopes"}
)


@dataclass(frozen=True, slots=True)
class Dependency:
    """One parameter that is filled by calling something, whose own parameters have a plan."""

    parameter: str
    call: Callable[..., Any]
    use_cache: bool
    plan: Plan


@dataclass(frozen=True, slots=True)
class Plan:
    """What a function takes.

    Attributes:
        function: The function.
        dependencies: The parameters that are injected.
        arguments: The names of the others, which the caller gives.
    """

    function: Callable[..., Any]
    dependencies: tuple[Dependency, ...]
    arguments: tuple[str, ...]

    @property
    def resources(self) -> tuple[Resource[Any], ...]:
        """The resources that the whole graph reads, each once."""
        return tuple(dict.fromkeys(self._resources()))

    def _resources(self) -> Iterator[Resource[Any]]:
        for dependency in self.dependencies:
            if isinstance(dependency.call, ResourceReader):
                yield dependency.call.resource
            yield from dependency.plan._resources()


@functools.lru_cache(maxsize=4096)
def plan(function: Callable[..., Any], *, takes_arguments: bool = False) -> Plan:
    """Plan a function that runs outside a request: a task, a command, a service, a resource.

    `Depends` in `Annotated` or as a default, dependencies that are classes, generators or
    callable objects, and the cache of one execution mean what they mean in a handler.

    Args:
        function: What will be called.
        takes_arguments: Whether parameters that are not injected are given by the caller.

    Raises:
        DependencyError: A parameter needs a request, or cannot be filled; it names the chain.
    """
    return _plan(function, takes_arguments, ())


def _plan(function: Callable[..., Any], takes_arguments: bool, chain: tuple[Any, ...]) -> Plan:
    if function in chain:
        names = " -> ".join(map(_name, (*chain, function)))
        raise _error(f"dependencies need each other: {names}", "lifecycle.E022", function)
    hints = _hints(function, chain)
    dependencies: list[Dependency] = []
    arguments: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        hint = hints.get(parameter.name, parameter.annotation)
        marker = _marker(parameter, hint)
        _refuse_request(parameter, hint, function, chain)
        if marker is not None:
            call = marker.dependency or _plain_type(hint)
            inner = _plan(call, False, (*chain, function))
            dependencies.append(Dependency(parameter.name, call, marker.use_cache, inner))
        elif takes_arguments and parameter.default is not injected:
            arguments.append(parameter.name)
        elif _has_no_default(parameter) and not _is_open(parameter):
            raise _unfilled(parameter, hint, function, chain)
    return Plan(function, tuple(dependencies), tuple(arguments))


def _hints(function: Callable[..., Any], chain: tuple[Any, ...]) -> dict[str, Any]:
    target: Any = without_partials(function)
    if inspect.isclass(target):
        target = target.__init__
    elif not inspect.isroutine(target):
        target = type(target).__call__
    try:
        return typing.get_type_hints(target, include_extras=True)
    except NameError as error:
        raise DependencyError(
            f"the annotations of {_name(function)} name {error.name!r},"
            " which does not exist when the program runs",
            code="lifecycle.E021",
            hint="import it outside `if TYPE_CHECKING`",
            where=Location.of(target),
        ) from error
    except Exception as error:  # an annotation is code like any other
        raise DependencyError(
            f"the annotations of {_name(function)} cannot be read: {told(error)}",
            code="lifecycle.E021",
            hint="mend what they name: they are evaluated when the project is loaded",
            where=Location.of(target),
        ) from error


def _marker(parameter: inspect.Parameter, hint: Any) -> Any:
    """Return the Depends of a parameter, in its default or in its annotation."""
    if isinstance(parameter.default, Depends):
        return parameter.default
    metadata = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
    return next((item for item in reversed(metadata) if isinstance(item, Depends)), None)


def _refuse_request(
    parameter: inspect.Parameter, hint: Any, function: Callable[..., Any], chain: tuple[Any, ...]
) -> None:
    metadata = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
    type_ = _plain_type(hint)
    modules = {type(item).__module__ for item in (*metadata, parameter.default)}
    of_request = any(_is_of_a_request(kind) for kind in getattr(type_, "__mro__", ()))
    from_request = "fastapi.params" in modules and _marker(parameter, hint) is None
    if of_request or from_request:
        raise _unfilled(parameter, hint, function, chain, reason=" belongs to an HTTP request and")


def _is_of_a_request(kind: type) -> bool:
    framework = kind.__module__.partition(".")[0] in ("fastapi", "starlette")
    return framework and kind.__name__ in _OF_A_REQUEST


def _plain_type(hint: Any) -> Any:
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint


def _has_no_default(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty or parameter.default is injected


def _is_open(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


def _unfilled(
    parameter: inspect.Parameter,
    hint: Any,
    function: Callable[..., Any],
    chain: tuple[Any, ...],
    reason: str = "",
) -> DependencyError:
    wanted = f"; it is wanted by {' -> '.join(map(_name, chain))}" if chain else ""
    shown = getattr(_plain_type(hint), "__name__", str(hint))
    return _error(
        f"the parameter {parameter.name}: {shown} of {_name(function)}{reason}"
        f" cannot be filled outside a request{wanted}",
        "lifecycle.E020",
        function,
    )


def _error(message: str, code: str, function: Callable[..., Any]) -> DependencyError:
    hint = "annotate it with a dependency that needs no request, or give it a default"
    target = function if inspect.isroutine(function) else getattr(function, "__init__", function)
    return DependencyError(message, code=code, hint=hint, where=Location.of(target))


def _name(function: Any) -> str:
    return str(getattr(function, "__qualname__", None) or type(function).__qualname__)
