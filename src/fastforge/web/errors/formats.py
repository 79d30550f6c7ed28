"""ErrorFormat: what error answers look like, for an app or below a prefix."""

from __future__ import annotations

import inspect
import re
import sys
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, overload

from pydantic import TypeAdapter

from ..._utils import told
from ...exceptions import ComponentError, Location
from .problems import Problem, problem_details

__all__ = ["PROBLEM_DETAILS", "ErrorFormat", "error_format"]

_MEDIA_TYPE: Final = re.compile(r"[^/\s;]+/[^/\s;]+(\s*;[ -~]*)?")
_PREFIX: Final = re.compile(r"/|(/[^/\s]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorFormat:
    """One form of error answers.

    Args:
        name: The function's name.
        function: Makes the body of a problem. What it is annotated to return becomes the schema
            in the OpenAPI document: a pydantic model, a dataclass, a TypedDict.
        prefix: The paths that it holds for: this one and all below it. None: those of the app
            that declares it.
        media_type: The Content-Type of the answers.
    """

    name: str
    function: Callable[[Problem], Any]
    prefix: str | None = None
    media_type: str = "application/json"

    def adapter(self) -> TypeAdapter[Any]:
        """Return what writes its bodies and knows their schema."""
        return TypeAdapter(typing.get_type_hints(self.function)["return"])

    def validate(self) -> None:
        """Refuse what nobody could write or describe.

        Raises:
            ComponentError: Nothing says what the function returns, or that has no schema.
        """
        signature = inspect.signature(self.function)
        if signature.return_annotation is signature.empty:
            raise self._mistake("has no return annotation")
        try:
            self.adapter().json_schema(mode="serialization")
        except Exception as error:  # annotations and schemas are anybody's code
            raise self._mistake(f"returns what has no schema: {told(error)}") from error

    def _mistake(self, fault: str) -> ComponentError:
        return ComponentError(
            f"the error format {self.name!r} {fault}",
            code="web.E031",
            hint="annotate it with the pydantic model that it returns",
            where=Location.of(inspect.unwrap(self.function)),
        )


PROBLEM_DETAILS: Final = ErrorFormat(
    name="problem_details", function=problem_details, media_type="application/problem+json"
)
"""What holds where no app says otherwise: RFC 9457."""


@overload
def error_format(function: Callable[[Problem], Any], /) -> ErrorFormat: ...
@overload
def error_format(
    *, prefix: str | None = ..., media_type: str = ...
) -> Callable[[Callable[[Problem], Any]], ErrorFormat]: ...
def error_format(
    function: Any = None, /, *, prefix: str | None = None, media_type: str = "application/json"
) -> Any:
    """Declare what error answers look like, in an app's `errors.py`.

    It holds for all of them: those of `HTTPException`, of validation, of failures, of paths that
    there are not, of limits; and for what the OpenAPI document says of them. It decides the body
    and its media type; the status and the headers stay.

    Surprises: a function that fails is logged, and its problem is answered as RFC 9457 has it.

    ```python
    # shop/orders/errors.py
    class Refusal(BaseModel):
        error: str
        request_id: str | None

    @error_format(prefix="/api")
    def refusal(problem: Problem) -> Refusal:
        return Refusal(error=problem.detail or problem.title, request_id=problem.request_id)
    ```

    Args:
        function: Makes the body of a problem.
        prefix: The paths that it holds for: this one and all below it, in every app. Without
            it: the routes of the app that declares it, and the paths below the app's prefix that
            no route answers.
        media_type: The Content-Type of the answers.

    Raises:
        ComponentError: It decorates an async function, one that takes something else than a
            problem, or the prefix is no path.
    """

    if function is not None and not callable(function):
        caller = sys._getframe(1)
        raise ComponentError(
            f"@error_format is given {function!r}, which is no function",
            code="web.E030",
            hint=f"write @error_format(prefix={function!r})",
            where=Location(caller.f_code.co_filename, caller.f_lineno),
        )

    def declare(function: Callable[[Problem], Any]) -> ErrorFormat:
        for fault, hint in _faults(function, prefix, media_type):
            raise ComponentError(
                f"the error format {function.__name__!r} {fault}",
                code="web.E030",
                hint=hint,
                where=Location.of(function),
            )
        return ErrorFormat(
            name=function.__name__, function=function, prefix=prefix, media_type=media_type
        )

    return declare if function is None else declare(function)


def _faults(
    function: Callable[..., Any], prefix: str | None, media_type: str
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a declaration, and what to do about it."""
    if inspect.iscoroutinefunction(function):
        yield "is async: an answer does not wait", "write `def`"
    if prefix is not None and not _PREFIX.fullmatch(prefix):
        yield f"has the prefix {prefix!r}, which is no path", "write it like /api"
    if not _MEDIA_TYPE.fullmatch(media_type):
        yield f"has no media type but {media_type!r}", "write it like application/json"
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        yield "does not take a problem alone", "give it one parameter: `problem: Problem`"
