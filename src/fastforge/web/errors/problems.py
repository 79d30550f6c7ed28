"""Problem: an error answer as a value, before anybody has decided what it looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import responses
from types import MappingProxyType
from typing import Any, ClassVar, Final, NotRequired

from pydantic import ConfigDict
from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12

__all__ = ["FieldError", "Problem", "ProblemDetails", "problem_details"]

# As RFC 9110 has them, whatever the version of Python says.
_PHRASES: Final = {
    **responses,
    413: "Content Too Large",
    414: "URI Too Long",
    422: "Unprocessable Content",
}
_UNKNOWN: Final = {4: "Client Error", 5: "Server Error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """What is wrong with one part of a request.

    Args:
        location: Where it stands: `body`, `query`, `path`, `header` or `cookie`, then the way to
            it. A name that the client made up, such as the key of a dictionary, is `*`.
        message: What is expected there, in words; it does not hold what was sent.
        type: A stable word for programs: pydantic's, or that of your own validator.
    """

    location: tuple[str | int, ...]
    message: str
    type: str

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra={"description": "What is wrong with one part of a request."}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error answer: what an error format is given, to return a body that says it.

    Args:
        status: The HTTP status, 400 to 599.
        title: What the status means; its usual phrase unless given.
        detail: What went wrong this time, for whoever sent the request.
        code: A stable word for programs.
        request_id: The id of the request, as in the header `x-request-id` and in the log.
        errors: What is wrong with each part of the request, of a 422.
        headers: Headers of the answer besides those of its body.
        extra: What else the code that raised the error had to say: any JSON value.
    """

    status: int
    title: str = ""
    detail: str = ""
    code: str | None = None
    request_id: str | None = None
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Any = None

    def __post_init__(self) -> None:
        title = self.title or _PHRASES.get(self.status) or _UNKNOWN.get(self.status // 100, "")
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "headers", MappingProxyType(dict(self.headers)))


class ProblemDetails(TypedDict):
    """An error answer, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: NotRequired[str]
    code: NotRequired[str]
    request_id: NotRequired[str]
    errors: NotRequired[list[FieldError]]
    extra: NotRequired[Any]


def problem_details(problem: Problem) -> ProblemDetails:
    """Return what RFC 9457 has for a problem; what is not known is left out."""
    details = ProblemDetails(type="about:blank", title=problem.title, status=problem.status)
    if problem.detail:
        details["detail"] = problem.detail
    if problem.code:
        details["code"] = problem.code
    if problem.request_id:
        details["request_id"] = problem.request_id
    if problem.errors:
        details["errors"] = list(problem.errors)
    if problem.extra is not None:
        details["extra"] = problem.extra
    return details
