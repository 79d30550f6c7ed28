"""Serve over HTTP; reloads in development, several processes in production.

The address is HOST:PORT or one of the two: 8001, 0.0.0.0:8000, [::1]:8000; or unix:PATH. It is
taken before anything else starts. In development the server starts anew when the code changes,
shows what is wrong with it in the browser, and runs the jobs too. In production, or with
--production or --workers, it is as many processes as the CPUs are good for, and SIGHUP replaces
them one after the other.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from ..._modules import find_module
from ...commands import Context, command
from ...exceptions import CommandError
from ...observability.logging.light import logging_begun
from ...signals import end_at_termination

if TYPE_CHECKING:
    import socket


__all__ = ["parse_address", "runserver"]

HOST: Final = "127.0.0.1"
PORT: Final = 8000
UNIX: Final = "unix:"

_HOST: Final = r"\[[0-9A-Fa-f:.%a-z]+\]|[^:\[\]\s/]+"
_ADDRESS: Final = re.compile(rf"(?:(?P<host>{_HOST})?:)?(?P<port>\d+)|(?P<only>{_HOST})")


@command(starts="nothing")
def runserver(
    address: Annotated[str, f"HOST:PORT, or unix:PATH; {HOST}:{PORT} unless given."] = "",
    /,
    *,
    workers: Annotated[
        int | None, "How many processes serve; in production worked out from the CPUs unless given."
    ] = None,
    max_requests: Annotated[
        int | None, "After how many requests a process ends; SERVER.max_requests unless given."
    ] = None,
    production: Annotated[bool, "Serve as in production, whatever the environment is."] = False,
    reload: Annotated[
        bool | None, "Start anew when the code changes; on in development unless given."
    ] = None,
    no_worker: Annotated[bool, "Do not run the jobs in this process, in development."] = False,
    context: Context,
) -> int:
    """Take the port, then serve; what takes longer is read by the process that serves."""
    is_asked = production or workers is not None
    _refuse_contradictions(workers, max_requests, reloads=is_asked and bool(reload))
    with end_at_termination(), _listening(address) as (sock, url):
        from ...conf.environment import read_environment
        from ...conf.finding import find_settings_module, make_importable
        from ...server.place import find_place

        folder = Path.cwd()
        make_importable(folder)
        given = context.settings_module or ""
        module, named_by = (
            (given, "--settings") if given else find_settings_module(folder, os.environ)
        )
        place = find_place(module, folder)
        environment = read_environment(place.root).name
        develops = environment == "development" and not is_asked
        _set_variables(module, embedded_worker=develops and not no_worker)
        reloads = develops if reload is None else reload
        # A name that leads nowhere is no mistake in the code: no edit of it would be the cure.
        if reloads and find_module(module) is not None:
            from ...server.reload import serve_with_reload

            return serve_with_reload(
                sock, place=place, url=url, settings_module=module, environment=environment
            )
        from ...server.forms import Site, serve_here, serve_in_production
        from ...server.gunicorn.orders import Asked

        with logging_begun("web", environment):  # the settings are code that may print, and fail
            site = Site.of(module, named_by, place, sock, url)
            if is_asked or environment == "production":
                return serve_in_production(site, Asked(workers=workers, max_requests=max_requests))
            return serve_here(site, max_requests=max_requests)


def _refuse_contradictions(workers: int | None, max_requests: int | None, *, reloads: bool) -> None:
    _refuse_less_than_one("--workers", workers, "at least one process has to serve")
    _refuse_less_than_one(
        "--max-requests",
        max_requests,
        "a process has to answer at least one; leave it out for no limit",
    )
    if reloads:
        raise CommandError(
            "--reload is for one process in development",
            code="management.E027",
            hint="leave out --reload: a restart by SIGHUP takes up new code",
        )


def _refuse_less_than_one(option: str, count: int | None, hint: str) -> None:
    if count is not None and count < 1:
        raise CommandError(f"{option} is {count}", code="management.E013", hint=hint)


def parse_address(text: str) -> tuple[str, int]:
    """Return the host and the port of `[HOST:]PORT` or `HOST`.

    Raises:
        CommandError: It has another form.
    """
    match = _ADDRESS.fullmatch(text) if text else None
    if text and match is None:
        raise CommandError(
            f"{text!r} is no address to listen on",
            code="management.E011",
            hint="write 8000, 0.0.0.0:8000, [::1]:8000 or unix:web.sock",
        )
    if match is None:
        return HOST, PORT
    host = match["host"] or match["only"] or HOST
    return host.strip("[]"), int(match["port"] or PORT)


@contextmanager
def _listening(address: str) -> Iterator[tuple[socket.socket, str]]:
    """Take the port, or the path; give the socket and how the address is written."""
    if not address.startswith(UNIX):
        from ...server.listening import bind

        host, port = parse_address(address)
        shown = f"[{host}]" if ":" in host else host
        with bind(host, port) as sock:
            yield sock, f"http://{shown}:{sock.getsockname()[1]}"
        return
    from ...server.paths import bind_path, remove_path

    path = Path(address.removeprefix(UNIX)).absolute()
    with bind_path(path) as sock:
        inode = path.stat().st_ino
        try:
            yield sock, f"{UNIX}{path}"
        finally:
            remove_path(path, inode)


def _set_variables(settings_module: str, *, embedded_worker: bool) -> None:
    """Set what the application's own module reads, here or in a child process."""
    os.environ["FASTFORGE_SETTINGS_MODULE"] = settings_module
    if embedded_worker:
        os.environ["FASTFORGE_EMBEDDED_WORKER"] = "1"
    else:
        os.environ.pop("FASTFORGE_EMBEDDED_WORKER", None)
