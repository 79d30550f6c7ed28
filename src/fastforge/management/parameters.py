"""Parameters: the command line's form of a function's signature."""

from __future__ import annotations

import enum
import inspect
import sys
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from ..commands import Command, Context
from ..exceptions import CommandError, Location
from .values import parameter_type, split_annotation

if TYPE_CHECKING:
    from ..lifecycle import Plan

__all__ = ["Form", "form_of"]

EMPTY: Final = inspect.Parameter.empty
POSITIONAL_ONLY: Final = inspect.Parameter.POSITIONAL_ONLY
KEYWORD_ONLY: Final = inspect.Parameter.KEYWORD_ONLY

_FORMS: Final = (
    "use str, int, float, bool, Path, datetime, date, UUID, Decimal, an Enum, Literal,"
    " list[...] or tuple[..., ...]"
)
_ONLY_WITH_RESOURCES: Final = (
    'a command that is given dependencies is declared with @command(starts="resources")'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a command's function is called from the command line.

    Attributes:
        function: The function.
        parameters: What click reads.
        lists: The names of those that take a list; click gives tuples.
        context: The name of the parameter that takes the `Context`, or an empty string.
        plan: How the others are injected; None for a command that starts no resources.
    """

    function: Any
    parameters: tuple[click.Parameter, ...]
    lists: frozenset[str]
    context: str
    plan: Plan | None

    def bind(self, given: Mapping[str, Any], context: Context) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments of the call: what was typed, and the context.

        Args:
            given: The values that the command line has; what is absent keeps its default.
            context: Passed on to a function that asks for it.
        """
        named = {
            name: list(value) if name in self.lists else value for name, value in given.items()
        }
        if self.context:
            named[self.context] = context
        positional = [
            named.pop(parameter.name, parameter.default)
            for parameter in inspect.signature(self.function).parameters.values()
            if parameter.kind is POSITIONAL_ONLY
        ]
        return positional, named


def form_of(command: Command) -> Form:
    """Return the form of a command.

    A parameter without a default is an argument, one with a default or after `*` an option, one
    before `/` always an argument; a bool is a flag, a `list` an option that may be repeated, a
    `tuple[X, ...]` takes all arguments that are left.

    Raises:
        CommandError: A type has no form on the command line; the message names it.
        DependencyError: A parameter cannot be injected outside a request.
    """
    function = command.function
    hints = _hints(function)
    planned = _plan(command, hints)
    injected = {found.parameter for found in planned.dependencies} if planned else set()
    context = next((name for name, hint in hints.items() if hint is Context), "")
    parameters = [
        _parameter(parameter, _annotation(parameter, hints), function)
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in injected and name != context
    ]
    return Form(
        function=function,
        parameters=tuple(parameters),
        lists=frozenset(name for name, hint in hints.items() if _origin(hint) is list),
        context=context,
        plan=planned,
    )


def _hints(function: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise CommandError(
            f"the annotations of {function.__name__} name {error.name!r},"
            " which does not exist when the program runs",
            code="management.E006",
            hint="import it outside `if TYPE_CHECKING`",
            where=Location.of(function),
        ) from error


def _origin(annotation: Any) -> Any:
    return typing.get_origin(split_annotation(annotation)[0])


def _plan(command: Command, hints: Mapping[str, Any]) -> Plan | None:
    function, has_resources = command.function, command.starts == "resources"
    if not has_resources and "fastapi" not in sys.modules:
        return None  # nothing is injected without FastAPI, and this is no reason to import it
    from ..lifecycle import plan

    planned = plan(function, takes_arguments=True)
    if has_resources:
        return planned
    for found in planned.dependencies:
        parameter = inspect.signature(function).parameters[found.parameter]
        type_, _ = split_annotation(_annotation(parameter, hints))
        raise _no_form(parameter, type_, function, _ONLY_WITH_RESOURCES)
    return None


def _annotation(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> Any:
    if parameter.name in hints:
        return hints[parameter.name]
    return str if parameter.default in (EMPTY, None) else type(parameter.default)


def _parameter(parameter: inspect.Parameter, annotation: Any, function: Any) -> click.Parameter:
    type_, text = split_annotation(annotation)
    origin, arguments = typing.get_origin(type_), typing.get_args(type_)
    repeated = origin is list or (origin is tuple and arguments[1:] == (Ellipsis,))
    element = parameter_type(arguments[0] if repeated else type_)
    if element is None or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise _no_form(parameter, type_, function)
    if _is_argument(parameter, origin, element):
        return _argument(parameter, element, text, takes_all=repeated)
    if element is click.BOOL and not repeated:
        return _flag(parameter, text)
    return _option(parameter, element, text, multiple=repeated)


def _is_argument(parameter: inspect.Parameter, origin: Any, element: click.ParamType[Any]) -> bool:
    if parameter.kind is POSITIONAL_ONLY:
        return True
    if parameter.kind is KEYWORD_ONLY or origin is list:
        return False
    return origin is tuple or (parameter.default is EMPTY and element is not click.BOOL)


def _argument(
    parameter: inspect.Parameter, element: click.ParamType[Any], text: str, *, takes_all: bool
) -> click.Argument:
    return click.Argument(
        [parameter.name],
        type=element,
        nargs=-1 if takes_all else 1,
        required=parameter.default is EMPTY,
        help=text or None,
    )


def _flag(parameter: inspect.Parameter, text: str) -> click.Option:
    name = _option_name(parameter)
    can_be_off = parameter.default in (True, None)
    declaration = f"{name}/--no-{name.removeprefix('--')}" if can_be_off else name
    # Only a flag without a default of its own has one here, and is always passed on.
    default = False if parameter.default is EMPTY else None
    return click.Option([declaration, parameter.name], is_flag=True, default=default, help=text)


def _option(
    parameter: inspect.Parameter, element: click.ParamType[Any], text: str, *, multiple: bool
) -> click.Option:
    return click.Option(
        [_option_name(parameter), parameter.name],
        type=element,
        multiple=multiple,
        required=parameter.default is EMPTY,
        help=f"{text}{_default(parameter.default)}".strip(),
    )


def _option_name(parameter: inspect.Parameter) -> str:
    name = parameter.name.strip("_").replace("_", "-")
    return f"-{name}" if len(name) == 1 else f"--{name}"


def _default(default: Any) -> str:
    if default is EMPTY or default in (None, "", (), []):
        return ""
    shown = default.value if isinstance(default, enum.Enum) else default
    if isinstance(shown, Sequence) and not isinstance(shown, str):
        shown = ", ".join(map(str, shown))
    return f"  [default: {shown}]"


def _no_form(
    parameter: inspect.Parameter, type_: Any, function: Any, hint: str = _FORMS
) -> CommandError:
    shown = getattr(type_, "__name__", str(type_)) if typing.get_origin(type_) is None else type_
    return CommandError(
        f"the parameter {parameter.name}: {shown} of {function.__name__}"
        " has no form on the command line",
        code="management.E007",
        hint=hint,
        where=Location.of(function),
    )
