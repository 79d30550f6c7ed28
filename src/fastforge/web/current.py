"""The request that is answered here, as it has come to the handler, for code that is given none.

The edge has the scope of each request as well (`observability.context.request_scope`), as it was
for the outermost layer. Layers may hand on a copy, with a session or a user in it: what a handler
sees is here.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from starlette.types import Scope

__all__ = ["request_scope"]

request_scope: Final[ContextVar[Scope | None]] = ContextVar("fastforge_handled_scope", default=None)
"""The scope of the current request, where an installed app keeps it; None in a job or a command."""
