"""The application of a project that has no `asgi.py` of its own."""

from __future__ import annotations

from ..asgi import get_asgi_application

__all__ = ["app"]

app = get_asgi_application()
