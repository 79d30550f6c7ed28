"""Paths: those of requests, as they may be written down."""

from __future__ import annotations

import re
from typing import Final

from ..redaction import MASK, is_sensitive
from ..redaction.rules import Redaction
from ..redaction.rules import current as current_rules

__all__ = ["masked_path"]

_PARAMETER: Final = re.compile(r"\{([^{}]*)\}")
MOST_KEPT: Final = 4096


class _Templates:
    """What finds the secret parts of paths, by the templates of routes and the rules that hold."""

    __slots__ = ("finders", "rules")

    def __init__(self, rules: Redaction | None = None) -> None:
        self.rules = rules
        self.finders: dict[str, re.Pattern[str] | None] = {}

    def finder(self, template: str) -> re.Pattern[str] | None:
        """Return what finds the secret parts; None where there are none."""
        try:
            return self.finders[template]
        except KeyError:
            found = _finder(template)
            if len(self.finders) < MOST_KEPT:
                self.finders[template] = found
            return found


class _Latest:
    """The templates that were seen; one assignment, so that threads need no lock."""

    __slots__ = ("templates",)

    def __init__(self) -> None:
        self.templates = _Templates()


_latest: Final = _Latest()


def masked_path(path: str, template: str | None) -> str:
    """Return a path without the values of parameters that are called as secrets are.

    >>> masked_path("/reset/0f3c9a1b", "/reset/{token}")
    '/reset/***'

    Args:
        path: The path of a request.
        template: The template of its route; None when there is none.
    """
    if template is None or "{" not in template:
        return path
    templates = _latest.templates
    if templates.rules is not current_rules():
        templates = _latest.templates = _Templates(current_rules())
    finder = templates.finder(template)
    if finder is None:
        return path
    found = finder.search(path)
    if found is None:  # a layer has changed one of them
        return template
    for number in range(finder.groups, 0, -1):
        start, end = found.span(number)
        path = f"{path[:start]}{MASK}{path[end:]}"
    return path


def _finder(template: str) -> re.Pattern[str] | None:
    parts = _PARAMETER.split(template)  # what stands between parameters, and their names
    secret = [is_sensitive(name.partition(":")[0]) for name in parts[1::2]]
    if not any(secret):
        return None
    pattern = re.escape(parts[0])
    for is_secret, text in zip(secret, parts[2::2], strict=True):
        value = "[^/]+" if text else ".+"  # the last one may be several segments
        pattern += (f"({value})" if is_secret else value) + re.escape(text)
    return re.compile(rf"{pattern}\Z", re.DOTALL)
