"""Script: the JavaScript client, as browsers get it from beside the channels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["CLIENT_FOLDER", "ClientScript", "answer_client_script", "client_script"]

CLIENT_FOLDER: Final = Path(__file__).parent / "client"
"""An npm package: the source, what is served of it, its types and its README."""
HASH_LENGTH: Final = 16
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_FIRST: Final = "no-cache"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientScript:
    """What is served.

    Args:
        body: The module.
        version: A hash of it.
    """

    body: bytes
    version: str


@cache
def client_script() -> ClientScript:
    """Return the client; asked for as `client.js?v=` and its version it is kept for a year.

    ```python
    address = f"/channels/client.js?v={client_script().version}"
    ```
    """
    body = (CLIENT_FOLDER / "fastforge-channels.min.js").read_bytes()
    return ClientScript(body=body, version=sha256(body).hexdigest()[:HASH_LENGTH])


async def answer_client_script(request: Request) -> Response:
    """Answer with the client; of the version that a browser has already, with nothing."""
    script = client_script()
    etag = f'"{script.version}"'
    is_named = request.query_params.get("v") == script.version
    headers = {"etag": etag, "cache-control": _FOR_EVER if is_named else _ASK_FIRST}
    known = request.headers.get("if-none-match", "")
    if etag in (each.strip().removeprefix("W/") for each in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(script.body, headers=headers, media_type="text/javascript")
