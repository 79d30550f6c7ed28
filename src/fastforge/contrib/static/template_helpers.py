"""What templates can ask of static files."""

from __future__ import annotations

from ...web.template_helpers import template_function
from .urls import static_url

__all__ = ["static"]


@template_function
def static(path: str) -> str:
    """Give the address of a static file: `{{ static("blog/style.css") }}`."""
    return static_url(path)
