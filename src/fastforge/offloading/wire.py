"""Wire: what the two sides of an offloading process agree on. It imports nothing."""

from __future__ import annotations

from typing import Final

__all__ = ["FAILED", "RETURNED", "SIZE_BYTES", "UNSENDABLE", "frame"]

SIZE_BYTES: Final = 8
"""A frame is its size in so many bytes, and then its content."""
RETURNED: Final = b"R"
FAILED: Final = b"F"
UNSENDABLE: Final = b"U"
"""What an answer begins with; a pickled value, (exception, traceback) or (what, why, traceback)
follows."""


def frame(content: bytes) -> bytes:
    """Return the bytes of a frame."""
    return len(content).to_bytes(SIZE_BYTES) + content
