"""What the pages that we show to developers look like: one style, light and dark."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["style"]


@cache
def style() -> str:
    """Return the style sheet that they share; each adds its own."""
    return (Path(__file__).parent / "base.css").read_text(encoding="utf-8")
