"""Dependencies: `Session`, the annotation."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from .session import WebSession
from .visit import visit_now

__all__ = ["Session"]


async def _session_here() -> WebSession:
    return visit_now().session()


Session = Annotated[WebSession, Depends(_session_here)]
"""The session of the browser that asks; nothing is read or written unless it is used."""
