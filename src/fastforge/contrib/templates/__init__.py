"""Jinja2 templates of the apps and of the project: for pages, and for the texts of mails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._utils import lazy_attribute

if TYPE_CHECKING:
    from ...web.template_helpers import template_filter as template_filter
    from ...web.template_helpers import template_function as template_function
    from .errors import TemplateError as TemplateError
    from .renderer import Renderer as Renderer
    from .resources import Render as Render
    from .settings import Templates as Templates

__all__ = [
    "Render",
    "Renderer",
    "TemplateError",
    "Templates",
    "template_filter",
    "template_function",
]

_LAZY = {
    "Render": "resources",
    "Renderer": "renderer",
    "TemplateError": "errors",
    "Templates": "settings",
    "template_filter": "kinds",
    "template_function": "kinds",
}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
