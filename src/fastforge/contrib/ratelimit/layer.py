"""Layer: counts all requests by RATE_LIMIT.default, and tells in each answer what is left."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...lifecycle import Container, current_container
from ...web.errors.responses import problem_response
from .counters import Window
from .errors import RateLimited
from .limits import limits_of
from .resources import rate_counters
from .rules import Rule
from .settings import RateLimit
from .tally import headers_of, tally_of

__all__ = ["RateLimits"]

EVERYTHING = "everything"


class RateLimits:
    """Stands around routing, so that what no route answers is counted as well."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._default: tuple[RateLimit, Rule] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        container = current_container()
        config, rule = self._rule_of(container)
        windows = tally_of(scope)
        telling = _telling(windows, send) if config.headers else send
        if rule.limits and not _is_exempt(scope["path"], config.exempt_paths):
            connection = HTTPConnection(scope)
            taken = await rule.take(container[rate_counters], container.registry, connection)
            windows.extend(taken.windows)
            if taken.refused is not None:
                await _refuse(taken.refused.error(), scope, receive, telling)
                return
        await self.app(scope, receive, telling)

    def _rule_of(self, container: Container) -> tuple[RateLimit, Rule]:
        config = container.settings.section(RateLimit)
        if self._default is None or self._default[0] is not config:
            rule = Rule(limits=limits_of(config.default), by=config.default_by, name=EVERYTHING)
            self._default = config, rule
        return self._default


def _telling(windows: Sequence[Window], send: Send) -> Send:
    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start" and windows:
            message["headers"] = [*message.get("headers", ()), *headers_of(windows)]
        await send(message)

    return tell


async def _refuse(error: RateLimited, scope: Scope, receive: Receive, send: Send) -> None:
    answer = problem_response(
        error.status,
        detail=error.message,
        code=error.code,
        headers={"Retry-After": str(error.retry_after_s)},
    )
    await answer(scope, receive, send)


def _is_exempt(path: str, exempt: Sequence[str]) -> bool:
    return any(path == each or path.startswith(f"{each.rstrip('/')}/") for each in exempt)
