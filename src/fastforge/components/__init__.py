"""Components: what apps declare, found by kind and kept in a frozen registry."""

from .discovery import discover, load_module, top_level_names
from .kind import Kind
from .registry import Component, Registry

__all__ = ["Component", "Kind", "Registry", "discover", "load_module", "top_level_names"]
