"""Sources: where in a request a credential may stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from starlette.requests import HTTPConnection

from ....components.functions import refuse_unless_plain

__all__ = ["CredentialSource", "Reader", "credential_source"]

Reader: TypeAlias = Callable[[HTTPConnection], str | None]

AFTER_THE_HEADER: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSource:
    """A declared source.

    Args:
        name: Unique in the project; the function's name.
        order: Smaller ones are asked first; the Authorization header has 0.
        read: Returns what stands there, or None.
        lenient: Whether what is not good counts as none.
    """

    name: str
    order: int
    read: Reader
    lenient: bool = False


def credential_source(
    *, order: int = AFTER_THE_HEADER, lenient: bool = False
) -> Callable[[Reader], CredentialSource]:
    """Declare where a credential may stand, in an app's `credentials.py`.

    ```python
    @credential_source(order=50)
    def partner_header(connection: HTTPConnection) -> str | None:
        return connection.headers.get("x-partner-token")
    ```

    The first source that has one decides: if that credential is refused, so is the request. What
    stands there is a token for one of the verifiers (`TokenVerifier`).

    Args:
        order: Smaller ones are asked first; the Authorization header has 0.
        lenient: Whether one that is not good counts as none. That is for what a client sends by
            itself, as a browser its cookie: a page for everybody stays one when a login has ended.

    Raises:
        ComponentError: It decorates no plain function.
    """

    def declare(function: Reader) -> CredentialSource:
        refuse_unless_plain(
            function,
            decorator="@credential_source",
            code="auth.E026",
            hint="write `def`, with the connection: it reads headers and asks nobody",
        )
        return CredentialSource(name=function.__name__, order=order, read=function, lenient=lenient)

    return declare
