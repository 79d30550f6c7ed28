"""Answer: what an edge adds to the headers of every answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from starlette.types import Message, Scope

from .policy import EdgePolicy, Header
from .slashes import REDIRECTS, staying_here
from .state import EdgeState

__all__ = ["AnswerHeaders"]

REQUEST_ID: Final = b"x-request-id"
ENCRYPTED: Final = frozenset({"https", "wss"})
GOING_AWAY: Final[Header] = (b"connection", b"close")


class AnswerHeaders:
    """Adds the id and the headers of the policy; what the application has set itself stays.

    Its request id alone does not: a second one, of an older middleware, would contradict the log.
    While the running project drains, clients are told to ask elsewhere.
    """

    __slots__ = ("_added", "_added_over_https", "_names", "_state")

    def __init__(self, policy: EdgePolicy, state: EdgeState) -> None:
        self._state = state
        self._added = policy.response_headers
        self._added_over_https = (*policy.response_headers, *policy.https_headers)
        self._names = frozenset({REQUEST_ID, *(name for name, _ in self._added_over_https)})

    def identify(self, message: Message, request_id: str) -> None:
        """Add the id alone: what a socket's handshake gets that is accepted."""
        headers = [header for header in message.get("headers", ()) if header[0] != REQUEST_ID]
        headers.append((REQUEST_ID, request_id.encode()))
        message["headers"] = headers

    def complete(self, message: Message, request_id: str, scope: Scope) -> None:
        """Change the headers of the message that begins an answer.

        Args:
            message: The message.
            request_id: The id of the request.
            scope: The request's, or that of a socket whose handshake is refused.
        """
        headers = list(message.get("headers", ()))
        added = self._added_over_https if scope.get("scheme") in ENCRYPTED else self._added
        names = self._names
        for name, _ in headers:
            if name in names:
                added, headers = self._settled(added, headers)
                break
        headers += added
        headers.append((REQUEST_ID, request_id.encode()))
        if message["status"] == REDIRECTS:
            headers = staying_here(headers, scope)
        container = self._state.container
        if container is not None and container.draining and not _says_how_it_goes_on(headers):
            headers.append(GOING_AWAY)
        message["headers"] = headers

    def _settled(
        self, added: Iterable[Header], headers: list[Header]
    ) -> tuple[tuple[Header, ...], list[Header]]:
        """Return what is still to be added, and what stays, where both have the same names."""
        present = {name for name, _ in headers}
        return (
            tuple(header for header in added if header[0] not in present),
            [header for header in headers if header[0] != REQUEST_ID],
        )


def _says_how_it_goes_on(headers: Iterable[Header]) -> bool:
    return any(name == GOING_AWAY[0] for name, _ in headers)
