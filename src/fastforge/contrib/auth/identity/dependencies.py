"""Dependencies: who asks, as handlers name it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Security
from starlette.types import Scope
from typing_extensions import TypeVar

from ....lifecycle import current_container
from ....observability.context import request_scope
from ....web.policies import policy
from ...db.sessions.unit import required_session
from ..errors import InvalidToken, NoRequest, NotAuthenticated, ScopesMissing
from ..model import AbstractUser
from ..resources import identities
from ..users import user_model
from .log import Listener
from .principal import Identity
from .scheme import OPTIONAL_NAME, TokenScheme

__all__ = [
    "CurrentIdentity",
    "CurrentUser",
    "OptionalIdentity",
    "OptionalUser",
    "identity_here",
    "on_forgotten",
    "requires",
    "requires_superuser",
]

User = TypeVar("User", bound=AbstractUser, default=AbstractUser)


async def identity_here() -> Identity | None:
    """Return who sends the request, or has opened the socket, that is handled here.

    For code that is given nothing by annotation: middleware, limits, a function of your own.

    ```python
    me = await identity_here()
    ```

    Returns:
        None where the request has no credential.

    Raises:
        InvalidToken: It has one that is not good.
        NoRequest: No request or socket is handled here.
    """
    return await current_container()[identities].of(_scope_here())


def on_forgotten(listener: Listener) -> Callable[[], None]:
    """Call a function in this process with each line of the log of what was forgotten.

    For what lasts longer than a request, such as a socket: whoever it belongs to may have been
    logged out. The line comes within a second of the commit, while somebody asks for identities.

    ```python
    def close_sockets(line: Line) -> None:
        hub.close(user_id=line.user_id)  # None, and token_id too: everybody's

    stop = on_forgotten(close_sockets)
    ```

    Args:
        listener: A plain function; one that fails is logged.

    Returns:
        What ends it.
    """
    return current_container()[identities].log.on_forgotten(listener)


class _Identified(TokenScheme):
    """Whoever asks has to say who they are, and may have to be allowed something."""

    def __init__(self, scopes: tuple[str, ...] = (), *, superuser: bool = False) -> None:
        self._scopes = scopes
        self._superuser = superuser

    async def __call__(self) -> Identity:
        identity = await identity_here()
        if identity is None:
            raise NotAuthenticated
        if self._superuser and not identity.is_superuser:
            raise ScopesMissing
        if not identity.has(*self._scopes):
            raise ScopesMissing([each for each in self._scopes if not identity.has(each)])
        return identity


class _Optional(TokenScheme):
    """Whoever asks may say who they are; a token that is not good is refused all the same."""

    scheme_name: Any = OPTIONAL_NAME

    async def __call__(self) -> Identity | None:
        return await identity_here()


_identified = policy(_Identified())
_optional = _Optional()

CurrentIdentity = Annotated[Identity, Security(_identified)]
"""Who asks, without a database: `async def mine(me: CurrentIdentity)`; nobody is a 401."""
OptionalIdentity = Annotated[Identity | None, Security(_optional)]
"""Who asks, or None; a credential that is not good is a 401 all the same, unless its source is
`lenient`, as the cookie of a session is."""


def requires(*scopes: str) -> Any:
    """Return the dependency that lets those go on whose credential has all of some scopes.

    ```python
    router = APIRouter(dependencies=[requires("orders:read")])

    @router.delete("/{order_id}")
    async def delete(order_id: int, me: Annotated[Identity, requires("orders:write")]) -> None: ...
    ```

    Whoever does not say who they are is answered with 401, who has not the scopes with 403. A
    superuser has all of them. A route with it states its policy (`SECURITY.require_policy`).

    Args:
        scopes: What has to be allowed; without any it is enough to be known.
    """
    return Security(policy(_Identified(scopes)), scopes=scopes)


def requires_superuser() -> Any:
    """Return the dependency that lets superusers go on, and answers others with 403.

    ```python
    router = APIRouter(prefix="/admin", dependencies=[requires_superuser()])
    ```
    """
    return Security(policy(_Identified(superuser=True)))


@policy
async def _current_user(me: CurrentIdentity) -> AbstractUser:
    return await _row_of(me)


async def _optional_user(me: OptionalIdentity) -> AbstractUser | None:
    return None if me is None else await _row_of(me)


CurrentUser: TypeAlias = Annotated[User, Depends(_current_user)]
"""The row of whoever asks, in the request's own session: `user: CurrentUser[Account]`."""
OptionalUser: TypeAlias = Annotated[User | None, Depends(_optional_user)]
"""The row of whoever asks, or None: `user: OptionalUser[Account]`."""


async def _row_of(identity: Identity) -> AbstractUser:
    """Read a user, who has to be the one that the credential was given to, as they are now."""
    if not identity.version:
        raise InvalidToken("its user is known elsewhere")
    user = await required_session().get(user_model(), identity.id)
    if user is None or not user.is_active:
        raise InvalidToken("its user is gone or not active")
    if identity.version != user.version:
        raise InvalidToken("its user has changed")
    return user


def _scope_here() -> Scope:
    scope = request_scope.get()
    if scope is None:
        raise NoRequest(
            "nobody asks here: this is no request and no socket",
            code="auth.E027",
            hint="give a job or a command the id of the user as an argument",
        )
    return scope
