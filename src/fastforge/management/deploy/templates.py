"""Templates: the texts that the files of a deployment are made of."""

from __future__ import annotations

from ...scaffold.image import SUFFIX, TEMPLATES

__all__ = ["template"]


def template(name: str) -> str:
    """Return a template by the name of the file that it is for."""
    return (TEMPLATES / f"{name}{SUFFIX}").read_text(encoding="utf-8")
