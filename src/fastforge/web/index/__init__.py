"""Index: finds the few routes that a path can have, so that FastAPI tries no others."""

from .placing import index_routes, why_not_indexed

__all__ = ["index_routes", "why_not_indexed"]
