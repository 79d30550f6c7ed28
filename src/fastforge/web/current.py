"""The request that is answered here, for code that is given none."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from starlette.types import Scope

__all__ = ["request_scope"]

request_scope: Final[ContextVar[Scope | None]] = ContextVar("fastforge_request_scope", default=None)
"""The scope of the current request, where an installed app needs it; None in a job or a command."""
