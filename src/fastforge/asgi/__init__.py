"""ASGI: a project as a FastAPI application, for any server."""

from .application import get_asgi_application

__all__ = ["get_asgi_application"]
