"""Arguments: what a task takes, checked and turned to JSON when it is enqueued, and back."""

from __future__ import annotations

import functools
import inspect
import json
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError, SchemaValidator

from .._utils import calling_line, did_you_mean, first_line, redact
from ..exceptions import Location, TaskError
from ..lifecycle import Plan, plan
from .adapters import NO_ZONE, adapter_of, zoned_reader

__all__ = ["Arguments", "arguments_of"]

VALUE_LIMIT: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments of one task.

    Attributes:
        task: The function's name, for messages.
        plan: How the injected parameters are filled; the others are the arguments.
        signature: The function's signature without the injected parameters.
        adapters: What validates and writes each argument.
        readers: What reads each as it was written, and demands the time zones of moments.
        where: The place of the function.
        defaults: The defaults of the arguments as JSON values.
        unwritable: Why the default of an argument is no JSON value, for those that are none.
    """

    task: str
    plan: Plan
    signature: inspect.Signature
    adapters: Mapping[str, TypeAdapter[Any]]
    readers: Mapping[str, TypeAdapter[Any] | SchemaValidator]
    where: Location | None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    unwritable: Mapping[str, str] = field(default_factory=dict)

    @property
    def injected(self) -> tuple[str, ...]:
        """The names of the parameters that the worker fills."""
        return tuple(dependency.parameter for dependency in self.plan.dependencies)

    def dump(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call as a JSON object.

        What the call leaves to its default stays out, so that the worker's default holds.

        Raises:
            TaskError: The call does not fit, or a value is wrong or cannot be written as JSON.
        """
        self._refuse_injected(kwargs)
        return self._dump(self._bind(args, kwargs))

    def dump_some(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return some arguments of a call, by name, as `dump` would.

        Raises:
            TaskError: One of them does not fit.
        """
        self._refuse_injected(given)
        for name in given:
            if name not in self.adapters:
                raise self._unknown(name)
        return self._dump(given)

    def _dump(self, given: Mapping[str, Any]) -> dict[str, Any]:
        faults: list[str] = []
        payload: dict[str, Any] = {}
        for name, value in given.items():
            try:
                checked = self.adapters[name].validate_python(value)
                payload[name] = self._as_json(name, checked)
            except ValidationError as error:
                faults.extend(_faults(name, error))
        if faults:
            raise self._error(f"{self.task} was given {'; '.join(faults)}", "tasks.E004")
        return payload

    def load(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments that a payload holds, as the function takes them.

        Raises:
            TaskError: The payload does not fit the function (any more).
        """
        faults = list(self._misfits(payload))
        values: dict[str, Any] = {}
        for name, value in payload.items():
            if name not in self.adapters:
                continue
            try:
                # As JSON, because a strict model takes a date from text only there.
                values[name] = self.adapters[name].validate_json(json.dumps(value))
            except ValidationError as error:
                faults.extend(_faults(name, error))
        if faults:
            raise TaskError(
                f"the payload does not fit {self.task}: {'; '.join(faults)}",
                code="tasks.E008",
                hint="give new parameters a default, and keep old ones while jobs have them",
                where=self.where,
            )
        return values

    def _misfits(self, payload: Mapping[str, Any]) -> Iterator[str]:
        for name, parameter in self.signature.parameters.items():
            if name not in payload and parameter.default is parameter.empty:
                yield f"{name} is missing"
        for name in payload:
            if name not in self.adapters:
                yield f"it takes no {name}"

    def _refuse_injected(self, kwargs: Mapping[str, Any]) -> None:
        for name in self.injected:
            if name in kwargs:
                raise self._error(
                    f"{name} was given to {self.task}, but the worker injects it",
                    "tasks.E002",
                    hint=f"leave {name} out",
                )

    def _bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self.signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            unknown = next((name for name in kwargs if name not in self.adapters), None)
            if unknown is not None:
                raise self._unknown(unknown) from None
            raise self._error(f"{self.task}: {error}", "tasks.E003", hint=self._takes) from None

    @property
    def _takes(self) -> str:
        return f"it takes {', '.join(self.adapters) or 'no arguments'}"

    def _unknown(self, name: str) -> TaskError:
        return self._error(
            f"{self.task} got an unknown argument {name!r}",
            "tasks.E003",
            hint=did_you_mean(name, self.adapters) or self._takes,
        )

    def _as_json(self, name: str, value: Any) -> Any:
        try:
            return _written(self.adapters[name], self.readers[name], value)
        except ValidationError as error:
            if error.errors()[0]["type"] == NO_ZONE:
                raise self._no_zone(name, error) from None
            reason = "; ".join(str(error).split("\n")[:2])
        except (PydanticSerializationError, ValueError, TypeError) as error:
            reason = "; ".join(str(error).split("\n")[:2])
        raise self._error(
            f"the argument {name} of {self.task} cannot be written as JSON: {reason}",
            "tasks.E005",
            hint="give what pydantic can write: plain values, dates, models; or an id",
        )

    def _no_zone(self, name: str, error: ValidationError) -> TaskError:
        fault = error.errors(include_url=False)[0]
        path = ".".join((name, *map(str, fault["loc"])))
        return self._error(
            f"{self.task} was given {path}={fault['input']}, which has no time zone:"
            " in the worker it could be another moment",
            "tasks.E023",
            hint="give one with a zone, as datetime.now(UTC) does; or annotate it NaiveDatetime"
            " of pydantic, if it is the time on somebody's clock",
        )

    def _error(self, message: str, code: str, *, hint: str = "") -> TaskError:
        """Return an error about a call: the line to mend is that of the call."""
        return TaskError(message, code=code, hint=hint, where=calling_line() or self.where)


@functools.lru_cache(maxsize=4096)
def arguments_of(function: Callable[..., Any]) -> Arguments:
    """Work out what a task takes, once for each function.

    Raises:
        DependencyError: A parameter needs a request, or names what does not exist.
        TaskError: A parameter cannot travel by name, or its type cannot be JSON.
    """
    planned = plan(function, takes_arguments=True)
    hints = typing.get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    parameters = [signature.parameters[name] for name in planned.arguments]
    for parameter in parameters:
        _refuse_nameless(function, parameter)
    adapters = {
        parameter.name: _adapter(function, parameter.name, hints.get(parameter.name, Any))
        for parameter in parameters
    }
    readers = {name: zoned_reader(adapter) for name, adapter in adapters.items()}
    arguments = Arguments(
        task=function.__name__,
        plan=planned,
        signature=inspect.Signature(parameters),
        adapters=adapters,
        readers=readers,
        where=Location.of(function),
    )
    return _with_defaults(arguments)


def _with_defaults(arguments: Arguments) -> Arguments:
    defaults: dict[str, Any] = {}
    unwritable: dict[str, str] = {}
    for name, parameter in arguments.signature.parameters.items():
        if parameter.default is parameter.empty:
            continue
        adapter = arguments.adapters[name]
        try:
            checked = adapter.validate_python(parameter.default)
            defaults[name] = _written(adapter, arguments.readers[name], checked)
        except (PydanticSerializationError, ValueError, TypeError) as error:
            unwritable[name] = _reason(error)
    return replace(arguments, defaults=defaults, unwritable=unwritable)


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return str(error.errors()[0]["msg"])
    return first_line(str(error))


def _written(
    adapter: TypeAdapter[Any], reader: TypeAdapter[Any] | SchemaValidator, value: Any
) -> Any:
    """Return a value as JSON values.

    Raises:
        ValidationError: It could not be read again.
        PydanticSerializationError: Pydantic cannot write it.
        ValueError: It is no JSON, or would be read as something else.
        TypeError: A part of it is nothing that JSON has.
    """
    dumped = adapter.dump_python(value, mode="json", by_alias=True, round_trip=True)
    # NaN and lone surrogates are Python's own: neither is JSON. And what is written has to
    # be readable: better refused here than found dead in the queue.
    text = json.dumps(dumped, allow_nan=False, ensure_ascii=False).encode()
    if reader.validate_json(text) != value:
        raise ValueError("it would arrive as something else")
    return dumped


def _refuse_nameless(function: Callable[..., Any], parameter: inspect.Parameter) -> None:
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise TaskError(
            f"the parameter {parameter} of the task {function.__name__} cannot be given by name",
            code="tasks.E006",
            hint="give it a plain name: arguments travel as a JSON object",
            where=Location.of(function),
        )


def _adapter(function: Callable[..., Any], name: str, hint: Any) -> TypeAdapter[Any]:
    try:
        return adapter_of(hint)
    except PydanticUserError as error:
        shown = getattr(hint, "__name__", str(hint))
        raise TaskError(
            f"the parameter {name}: {shown} of the task {function.__name__} is no type"
            " that can be written as JSON",
            code="tasks.E007",
            hint="take an id or a pydantic model, or inject it: write `= injected`",
            where=Location.of(function),
        ) from error


def _faults(name: str, error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        path = ".".join((name, *map(str, fault["loc"])))
        reason = fault["msg"].removeprefix("Value error, ")
        # Written as name=value, a password is masked.
        shown = redact(f"{path}={fault['input']!r}")
        cut = shown if len(shown) <= VALUE_LIMIT else f"{shown[:VALUE_LIMIT]}..."
        yield f"{cut}: {reason}"
