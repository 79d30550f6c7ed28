"""The HTTP client of a process, which has one more for URLs from outside."""

from __future__ import annotations

from typing import Any, Unpack

from pydantic import ValidationError

from ...conf.section import validation_errors
from ...exceptions import ErrorGroup
from .attempts import Attempts
from .external.client import ExternalClient, ExternalOptions
from .external.connections import ExternalConnections
from .late import LateClient
from .library import httpx
from .settings import ExternalHttp, Http

__all__ = ["Client"]


class Client(LateClient):
    """httpx's client, with `external()` beside its methods.

    Args:
        config: How often it tries, and whom it leaves alone.
        external: What URLs from outside may be.
        connections: What calls of those share.
        options: Those of httpx.
    """

    def __init__(
        self,
        *,
        config: Http,
        external: ExternalHttp,
        connections: ExternalConnections,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._attempts = Attempts(config)
        self._external = external
        self._connections = connections

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request, more than once where the settings or the call say so.

        Raises:
            UpstreamError: The service cannot be reached, is late, or is left alone.
        """
        sending = super().send
        return await self._attempts.make(request, lambda: sending(request, **options))

    def external(self, **options: Unpack[ExternalOptions]) -> ExternalClient:
        """Return a client for URLs that users, or answers of others, have given.

        It asks hosts of the internet alone. Whether an address is one is decided when it is
        connected to, for each address of a name and after each redirect.

        ```python
        @router.post("/previews")
        async def preview(url: str, http: HttpClient) -> str:
            answer = await http.external(max_bytes=100_000).get(url)
            return answer.text[:200]
        ```

        Surprises: what it is: `ExternalClient`. Each is a new one, for one use or many, so that
        headers which are set on it are nobody else's. The client of the process itself asks any
        URL.

        Args:
            options: Fields of `EXTERNAL_HTTP` that are others here.

        Raises:
            ErrorGroup: An option does not exist, or has a value that does not fit.
        """
        config = _changed(self._external, dict(options)) if options else self._external
        return ExternalClient(config, self._connections)


def _changed(config: ExternalHttp, options: dict[str, Any]) -> ExternalHttp:
    try:
        return ExternalHttp.model_validate({**config.model_dump(), **options})
    except ValidationError as error:
        found = validation_errors(error, ExternalHttp, "ExternalHttp", lambda _: None)
        raise ErrorGroup(list(found)) from error
