"""The framework's own checks, by what they look at."""

from __future__ import annotations

from typing import Final

__all__ = ["OURS"]

OURS: Final = f"{__name__.partition('.')[0]}."
"""How the names of our own modules begin: they have no mistakes that a user could mend."""
