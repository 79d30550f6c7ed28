"""Handlers: the methods of a channel that are called, and what each of their parameters is."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel

from ..._utils import did_you_mean
from ...exceptions import ComponentError, Location
from ...lifecycle import Container, execute
from ...lifecycle.plan import Plan, plan
from ..sockets.connection import Connection
from .messages import Messages
from .patterns import Parameter, Pattern

if TYPE_CHECKING:
    from .channel import Channel

__all__ = ["Handler", "authorizer_of", "handlers_of", "hooks_of", "receives"]

F = TypeVar("F", bound=Callable[..., Any])
ALIKE: Final = 0.85
"""How alike a method and a hook are of which one is a misspelling of the other."""

_MARK: Final = "_fastforge_receives"
_CONNECTION: Final = "connection"
_MESSAGE: Final = "message"


def receives(method: F) -> F:
    """Mark the method of a channel that is called with one kind of message.

    Which one its annotation says: it is a member of `Incoming`. Other parameters are those of the
    pattern, by name, a `Connection`, and whatever a handler of requests may ask for that needs no
    request: `DbSession`, `Cache`, a resource. What it returns is the client's answer.

    ```python
    @receives
    async def say(self, message: Say, room_id: int, db: DbSession) -> None: ...
    ```
    """
    setattr(method, _MARK, True)
    return method


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A method, planned.

    Args:
        plan: What its parameters are.
        sources: Where each that is not injected comes from: the name of a parameter of the
            pattern, `connection` or `message`.
    """

    plan: Plan
    sources: Mapping[str, str]

    async def call(
        self, container: Container, channel: Channel, message: BaseModel | None = None
    ) -> Any:
        """Call the method for a client, as a piece of work of its own."""
        given: dict[str, Any] = dict(channel.parameters)
        given[_CONNECTION] = channel.connection
        given[_MESSAGE] = message
        values = {name: given[source] for name, source in self.sources.items()}
        async with execute(container, self.plan) as injected:
            return await self.plan.function(channel, **values, **injected)


def authorizer_of(cls: type[Channel], pattern: Pattern) -> Handler | None:
    """Return what decides who may join; None where anybody may.

    Raises:
        ComponentError: Nobody has decided that, or twice.
    """
    method = getattr(cls, "authorize", None)
    if method is None and not cls.bounds.public:
        raise ComponentError(
            f"{cls.__qualname__} does not say who may join",
            code="channels.E005",
            hint=_misspelt(cls, "authorize")
            or "write `async def authorize(self, connection: Connection) -> bool`, or say"
            " public=True beside the pattern",
        )
    if method is not None and cls.bounds.public:
        raise ComponentError(
            f"{cls.__qualname__} is public and has an `authorize`",
            code="channels.E005",
            hint="leave one of them out",
        )
    return None if method is None else _planned(method, pattern, {})


def hooks_of(cls: type[Channel], pattern: Pattern) -> Mapping[str, Handler]:
    """Return what is called when a client has joined and has left, where a class has that.

    Raises:
        ComponentError: It takes what nobody can give.
    """
    _refuse_misspelt(cls)
    methods = {name: getattr(cls, name, None) for name in ("joined", "left")}
    return {name: _planned(method, pattern, {}) for name, method in methods.items() if method}


def _refuse_misspelt(cls: type[Channel]) -> None:
    """Refuse a method that nobody calls, and whose name is that of a hook but for a letter.

    A public channel with an `authorise` would let everybody in, against what it says.
    """
    for hook in ("authorize", "joined", "left"):
        told = "" if hasattr(cls, hook) else _misspelt(cls, hook)
        if told:
            raise ComponentError(
                f"{cls.__qualname__} has a method that nobody calls",
                code="channels.E006",
                hint=told,
            )


def _misspelt(cls: type[Channel], hook: str) -> str:
    """Return which method of a class most likely was to be a hook; empty where none is like it."""
    methods = [
        name
        for name, method in vars(cls).items()
        if inspect.iscoroutinefunction(method) and not hasattr(method, _MARK)
    ]
    if not methods:
        return ""
    import difflib  # few classes pay for it

    found = difflib.get_close_matches(hook, methods, n=1, cutoff=ALIKE)
    return f"{found[0]!r} is called by nobody: did you mean {hook!r}?" if found else ""


def handlers_of(
    cls: type[Channel], pattern: Pattern, incoming: Messages
) -> Mapping[type[BaseModel], Handler]:
    """Return what is called with each message that clients may send.

    Raises:
        ComponentError: One has no method, or two; or a method takes something else.
    """
    models = {model: model.__name__ for model in incoming.by_type.values()}
    found: dict[type[BaseModel], Handler] = {}
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        if not hasattr(method, _MARK):
            continue
        handler = _planned(method, pattern, models)
        model = _message_of(method, handler)
        if model is None or model in found:
            told = "takes no message of Incoming" if model is None else "is the second for it"
            raise ComponentError(
                f"{cls.__qualname__}.{name} {told}",
                code="channels.E006",
                hint=f"annotate one parameter: message: {' or '.join(models.values()) or '...'}",
                where=Location.of(method),
            )
        found[model] = handler
    for model, shown in models.items():
        if model not in found:
            raise ComponentError(
                f"{cls.__qualname__} has no method for {shown}",
                code="channels.E006",
                hint=f"write @receives and `async def ...(self, message: {shown})`",
            )
    return found


def _planned(
    method: Callable[..., Any], pattern: Pattern, models: Mapping[type[BaseModel], str]
) -> Handler:
    if not inspect.iscoroutinefunction(method):
        raise ComponentError(
            f"{method.__qualname__} is no async function",
            code="channels.E006",
            hint="write `async def`, and `await offload(...)` for what blocks",
            where=Location.of(method),
        )
    planned = plan(method, takes_arguments=True)
    hints = typing.get_type_hints(method)
    parameters = inspect.signature(method).parameters
    parts = {parameter.name: parameter for parameter in pattern.parameters}
    sources: dict[str, str] = {}
    for name in planned.arguments[1:]:
        hint = hints.get(name)
        if name in parts:
            _refuse_type(method, parts[name], hint)
            sources[name] = name
        elif inspect.isclass(hint) and issubclass(hint, Connection):
            sources[name] = _CONNECTION
        elif hint in models:
            sources[name] = _MESSAGE
        elif parameters[name].default is inspect.Parameter.empty:
            raise _unknown(method, name, hint, models, [*parts, _CONNECTION])
    return Handler(plan=planned, sources=sources)


def _message_of(method: Callable[..., Any], handler: Handler) -> type[BaseModel] | None:
    hints = typing.get_type_hints(method)
    for name, source in handler.sources.items():
        if source == _MESSAGE:
            model: type[BaseModel] = hints[name]
            return model
    return None


def _refuse_type(method: Callable[..., Any], part: Parameter, hint: Any) -> None:
    if not _takes(hint, part.type):
        raise ComponentError(
            f"the parameter {part.name!r} of {method.__qualname__} is annotated with"
            f" {getattr(hint, '__name__', hint)}, and the pattern gives {part.type.__name__}",
            code="channels.E007",
            hint=f"write {part.name}: {part.type.__name__}",
            where=Location.of(method),
        )


def _takes(hint: Any, given: type[Any]) -> bool:
    """Return whether a value fits an annotation, as far as that is easily said."""
    hint = getattr(hint, "__supertype__", hint)  # that of a NewType
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return any(_takes(each, given) for each in typing.get_args(hint))
    if hint is float:
        return given in (int, float)
    return not isinstance(hint, type) or issubclass(given, hint)


def _unknown(
    method: Callable[..., Any],
    name: str,
    hint: Any,
    models: Mapping[type[BaseModel], str],
    known: list[str],
) -> ComponentError:
    return ComponentError(
        f"the parameter {name!r} of {method.__qualname__} cannot be filled",
        code="channels.E007",
        hint=_cure(name, hint, models)
        or did_you_mean(name, known)
        or "take parameters of the pattern by name, `connection: Connection`, a message of"
        " Incoming, or a dependency",
        where=Location.of(method),
    )


def _cure(name: str, hint: Any, models: Mapping[type[BaseModel], str]) -> str:
    """Return what to do about a parameter that looks like a message, or like the connection."""
    members = typing.get_args(hint)
    if name == _CONNECTION:
        return "annotate it: connection: Connection"
    if members and all(each in models for each in members):
        return "a method takes one kind of message: write one for each"
    if inspect.isclass(hint) and issubclass(hint, BaseModel):
        has = f"Incoming has {', '.join(models.values())}" if models else "there is no Incoming"
        return f"{has}; a method that clients call takes a message of Incoming"
    if name == _MESSAGE:
        return f"annotate it: message: {' or '.join(models.values()) or '...'}"
    return ""
