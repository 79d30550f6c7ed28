"""Building: the layers of an application; that one cannot be made is told as a failed start."""

from __future__ import annotations

import traceback
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from .._utils import failing_line, told
from ..exceptions import ComponentError, ForgeError

__all__ = ["Unbuilt", "built"]


class Unbuilt:
    """Stands where the layers could not be made: it fails the start, and every request.

    Servers take an application that raises when its lifespan begins for one that has none, and
    would go on to answer each request with an error.
    """

    def __init__(self, failure: ForgeError) -> None:
        self.failure = failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            message = "".join(traceback.format_exception(self.failure))
            await send({"type": "lifespan.startup.failed", "message": message})
        raise self.failure


def built(build: Callable[[], ASGIApp]) -> ASGIApp | Unbuilt:
    """Return the layers of an application, or what says why they cannot be made.

    Args:
        build: FastAPI's own way to make them.
    """
    try:
        return build()
    except ForgeError as error:
        return Unbuilt(error)
    except Exception as error:  # of a layer that `add_middleware` was given
        failure = ComponentError(
            f"a middleware of the application cannot be made: {told(error)}",
            code="web.E008",
            hint="look at what add_middleware is given",
            where=failing_line(error),
        )
        failure.__cause__ = error
        return Unbuilt(failure)
