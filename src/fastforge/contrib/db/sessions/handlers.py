"""Handlers: which of them do not stand in a transaction of the request's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from ....exceptions import Location
from ..errors import TransactionMisuse

__all__ = ["is_non_atomic", "non_atomic"]

Handler = TypeVar("Handler", bound=Callable[..., Any])

_MARK: Final = "__fastforge_non_atomic__"


def non_atomic(handler: Handler, /) -> Handler:
    """Let a handler of POST, PUT, PATCH or DELETE stand outside `atomic`, as one of GET does.

    For handlers that call somebody slow: they hold no connection and no lock meanwhile.

    ```python
    @router.post("/orders/{order_id}/payment")
    @non_atomic
    async def pay(order_id: int, db: DbSession, http: HttpClient) -> None:
        order = await db.get_one(Order, order_id)
        receipt = await http.post(...)                 # seconds, and nothing is held
        async with db.atomic():                        # reads `order` again
            order.receipt = receipt.text
    ```

    Surprises: an answer of status 400 or more undoes nothing that a block has committed. The
    handler is marked and returned as it is, so that this may also stand above the route's own
    decorator. Its dependencies stand outside `atomic` too.

    Args:
        handler: The function that handles the request.

    Raises:
        TransactionMisuse: It decorates no function.
    """
    if not _can_be_marked(handler):
        raise _refused(handler)
    setattr(handler, _MARK, True)
    return handler


def is_non_atomic(endpoint: object) -> bool:
    """Return whether an endpoint is marked."""
    return getattr(endpoint, _MARK, False) is True


def _can_be_marked(handler: object) -> bool:
    return callable(handler) and not isinstance(handler, type) and hasattr(handler, "__dict__")


def _refused(handler: object) -> TransactionMisuse:
    return TransactionMisuse(
        f"@non_atomic decorates {handler!r}, which handles no request",
        code="db.E032",
        hint="let it stand above the function, without brackets: @non_atomic",
        where=Location.of(handler) if callable(handler) else None,
    )
