"""Jinja2, or the line that installs it."""

from __future__ import annotations

from ..._utils import missing_extra

try:
    import jinja2
    import jinja2.nodes
except ImportError as error:
    raise missing_extra("templates", "jinja2") from error

__all__ = ["jinja2"]
