"""Live server: an application behind a real socket, for browsers, WebSockets and streams."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import uvicorn

from ..exceptions import StartError
from ..project import Project
from ..server.listening import bind
from .lifespan import Application, application_of

__all__ = ["live_server"]

GRACEFUL_S: Final = 2
"""How long what is in flight at the end of a test may go on."""
PAUSE_S: Final = 0.002


@contextmanager
def live_server(subject: Project | Application, *, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve an application on a free port, in a thread with an event loop of its own.

    ```python
    with live_server(project) as url:
        httpx.get(f"{url}/notes")
    ```

    Surprises: it is another process in all but name: it opens resources of its own, and the test
    shares with it the database and nothing in memory.

    Args:
        subject: A project, or any ASGI application with a lifespan.
        host: The address to listen on.

    Yields:
        The address, `http://127.0.0.1:PORT`, without a slash at the end.

    Raises:
        StartError: A required resource could not be opened.
        Exception: Whatever else the start raises.
    """
    application = _Remembering(application_of(subject))
    with bind(host, 0) as sock:
        server = uvicorn.Server(_config(application))

        def work() -> None:
            with suppress(SystemExit):  # uvicorn's answer to a lifespan that did not start
                server.run(sockets=[sock])

        port = sock.getsockname()[1]
        thread = threading.Thread(target=work, name=f"live server {port}", daemon=True)
        thread.start()
        try:
            while not server.started:
                if not thread.is_alive():
                    raise application.failure or StartError(
                        "the application did not start", code="test.E001"
                    )
                time.sleep(PAUSE_S)
            yield f"http://{host}:{port}"
        finally:
            server.should_exit = True
            thread.join()


def _config(application: Application) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http="httptools",
        lifespan="on",
        access_log=False,
        log_config=None,  # what a test captures of the log is the test's business
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACEFUL_S,
    )


class _Remembering:
    """An application whose start may fail in another thread."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.failure: BaseException | None = None

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        try:
            await self._application(scope, receive, send)
        except BaseException as error:
            if scope["type"] == "lifespan":
                self.failure = error
            raise
