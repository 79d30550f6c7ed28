"""Policy: who may ask for a route, said where the route is declared.

`SECURITY.require_policy` lets `manage check` refuse a route that says nothing. What says it: a
dependency that is marked by `policy`, at the route, its router or its application; `public` at the
handler; `SECURITY.public_paths`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute

from .._utils import where_written
from ..exceptions import ComponentError

__all__ = ["policy", "public", "routes_without_policy"]

_MARK: Final = "_fastforge_states_policy"

F = TypeVar("F", bound=Callable[..., Any])


def policy(dependency: F) -> F:
    """Mark a dependency as one that decides who goes on; a route that has it states a policy.

    ```python
    @policy
    async def only_staff(user: CurrentIdentity) -> None:
        if "staff" not in user.scopes:
            raise HTTPException(403)

    router = APIRouter(dependencies=[Depends(only_staff)])
    ```

    Surprises: nothing is decided by the mark; the dependency has to refuse.

    Args:
        dependency: A function, a class, or an object that can be called.

    Raises:
        ComponentError: It keeps no mark, as a method of an object.
    """
    return _marked(dependency, "policy")


def public(handler: F) -> F:
    """Say of a handler, of requests or of a WebSocket, that anybody may ask for it.

    ```python
    @router.get("/prices")
    @public
    async def prices() -> list[Price]: ...
    ```

    Surprises: it stands below the decorator of the route, and opens nothing: a dependency that
    refuses still does.

    Args:
        handler: The function of a route.

    Raises:
        ComponentError: It keeps no mark, as a method of an object.
    """
    return _marked(handler, "public")


def _marked(value: F, decorator: str) -> F:
    try:
        setattr(value, _MARK, True)
    except AttributeError:
        raise ComponentError(
            f"@{decorator} is given {value!r}, which cannot be marked",
            code="web.E021",
            hint="let it decorate the function, or the class whose objects are called",
            where=where_written(value),
        ) from None
    return value


def routes_without_policy(
    routes: Iterable[BaseRoute], *, public_paths: Iterable[str] = (), prefix: str = ""
) -> Iterator[tuple[str, RouteContext]]:
    """Yield the path and the route of each that says nothing, those of mounts among them.

    Args:
        routes: Those of an application or a router.
        public_paths: Paths that are open to anybody, with all that is below them.
        prefix: The path at which the routes are mounted.
    """
    opened = tuple(public_paths)
    for context in iter_route_contexts([*routes]):
        path = f"{prefix}{context.path or ''}"
        inner = getattr(context.original_route, "routes", None)
        if inner:
            yield from routes_without_policy(inner, public_paths=opened, prefix=path)
        elif not any(_is_below(path, each) for each in opened) and not _states_policy(context):
            yield path, context


def _states_policy(context: RouteContext) -> bool:
    dependant: Dependant | None = getattr(context, "dependant", None)
    is_marked = hasattr(context.endpoint, _MARK)
    return is_marked or (dependant is not None and _has_policy(dependant))


def _has_policy(dependant: Dependant) -> bool:
    return any(hasattr(inner.call, _MARK) or _has_policy(inner) for inner in dependant.dependencies)


def _is_below(path: str, opened: str) -> bool:
    return path == opened or path.startswith(f"{opened.rstrip('/')}/")
