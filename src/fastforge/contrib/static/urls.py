"""Addresses of static files."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import HTTPConnection

from ...lifecycle import current_container
from ...web.current import request_scope
from .settings import Static

__all__ = ["static_url"]


def static_url(path: str, request: HTTPConnection | None = None) -> str:
    """Return the address of a static file, from its path below a `static/` folder.

    It begins with the path that a proxy puts before the application, where the request tells it.
    Whether there is such a file is not looked at.

    ```python
    link = static_url("blog/style.css", request)      # "/static/blog/style.css"
    ```

    Args:
        path: For example `blog/style.css`.
        request: The request that is answered. Templates know it by themselves.
    """
    scope = request_scope.get() if request is None else request.scope
    root: str = scope.get("root_path", "") if scope else ""
    url = current_container().settings.section(Static).url
    return f"{root.rstrip('/')}{url}/{quote(path.lstrip('/'))}"
