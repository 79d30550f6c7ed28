"""Error answers in the form that clients of the RealWorld API read."""

from typing import Any, Final

from pydantic import BaseModel

from fastforge.web import Problem, error_format


class Messages(BaseModel):
    """What went wrong, in words."""

    body: list[str]


class GenericErrorModel(BaseModel):
    """The body of every error answer below /api."""

    errors: Messages


LISTED: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": GenericErrorModel, "description": "Nobody is logged in"},
    422: {"model": GenericErrorModel, "description": "What was sent is not as it has to be"},
}
"""The errors that RealWorld lists for its operations, for `responses=`."""


@error_format(prefix="/api")
def generic_error(problem: Problem) -> GenericErrorModel:
    """Say each error in a line of its own; what has no words has those of its status."""
    fields = [
        f"{'.'.join(map(str, error.location[1:]))}: {error.message}" for error in problem.errors
    ]
    return GenericErrorModel(errors=Messages(body=fields or [problem.detail or problem.title]))
