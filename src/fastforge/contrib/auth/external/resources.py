"""The resource `key_sets`: what one process remembers of issuers."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ....lifecycle import resource
from .key_sets import KeySets

__all__ = ["key_sets"]


@resource
async def key_sets() -> AsyncIterator[KeySets]:
    """Give the keys of issuers; they are fetched when the first token comes."""
    yield KeySets()
