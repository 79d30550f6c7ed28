"""Live server: an application behind a real socket, for browsers, WebSockets and streams."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import uvicorn

from ..project import Project
from ..server.drain import Server
from ..server.lifespan import Lifespan
from ..server.listening import bind
from ..server.protocol import protocol_of, websocket_protocol_of
from .lifespan import Application, application_of, not_started

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
    application = application_of(subject)
    with bind(host, 0) as sock:
        server = Server(_config(application), linger_s=0, graceful_s=GRACEFUL_S)

        def work() -> None:
            with suppress(SystemExit):  # uvicorn's answer to a lifespan that did not start
                server.run(sockets=[sock])

        port = sock.getsockname()[1]
        thread = threading.Thread(target=work, name=f"live server {port}", daemon=True)
        thread.start()
        try:
            while not server.started:
                if not thread.is_alive():
                    raise server.lifespan.failure or not_started(server.lifespan.message)
                time.sleep(PAUSE_S)
            yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        finally:
            server.should_exit = True
            thread.join()


def _config(application: Application) -> uvicorn.Config:
    config = uvicorn.Config(
        application,
        http=protocol_of(),
        ws=websocket_protocol_of() or "none",
        lifespan="on",
        access_log=False,
        log_config=None,  # what a test captures of the log is the test's business
        proxy_headers=False,
        server_header=False,
    )
    config.load()
    config.lifespan_class = Lifespan
    return config
