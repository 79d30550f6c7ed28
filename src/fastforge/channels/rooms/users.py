"""Users: whose the sockets of one process are, how many each may have, and whose are to end."""

from __future__ import annotations

from typing import Final

from ..codes import EXPIRED
from ..sockets.connection import Principal
from ..sockets.socket import ClientSocket

__all__ = ["Users"]


class Users:
    """Knows the sockets of each user in this process, by their id.

    Args:
        most: How many sockets one of them may have.
    """

    def __init__(self, most: int) -> None:
        self._most: Final = most
        self._sockets: Final[dict[str, set[ClientSocket]]] = {}

    def admit(self, socket: ClientSocket, user: Principal) -> bool:
        """Say whose a socket is; False where that user has too many."""
        theirs = self._sockets.setdefault(str(user.id), set())
        if socket not in theirs and len(theirs) >= self._most:
            return False
        theirs.add(socket)
        socket.connection.user = user
        socket.due = 0.0
        return True

    def forget(self, socket: ClientSocket) -> None:
        """Forget whose a socket was."""
        user = socket.connection.user
        theirs = self._sockets.get(str(user.id)) if user is not None else None
        if user is not None and theirs is not None:
            theirs.discard(socket)
            if not theirs:
                del self._sockets[str(user.id)]

    @property
    def are_wanted(self) -> bool:
        """Whether anybody is here whom a revocation could be about."""
        return bool(self._sockets)

    def revoke(self, *, user_id: object = None, token_id: str | None = None) -> None:
        """Let the sockets of a user end, or of a token; with neither, those of everybody."""
        if user_id is None:
            found = [socket for theirs in self._sockets.values() for socket in theirs]
        else:
            found = [*self._sockets.get(str(user_id), ())]
        for socket in found:
            user = socket.connection.user
            if token_id is None or (user is not None and user.token_id == token_id):
                socket.close(EXPIRED, "the token may have been revoked")
