"""The kind of component that this app introduces: template helpers."""

from __future__ import annotations

from typing import Any, Final

from ...components import Kind
from ...web.template_helpers import TemplateHelper, template_filter, template_function

__all__ = ["TEMPLATE_HELPERS", "template_filter", "template_function"]

TEMPLATE_HELPERS: Final[Kind[TemplateHelper[..., Any]]] = Kind(
    name="template_helpers",
    type=TemplateHelper,
    module="template_helpers",
    key=lambda helper: f"{helper.form} {helper.name}",
    home=lambda helper: helper.function,
)
