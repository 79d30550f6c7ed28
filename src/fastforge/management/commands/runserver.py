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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from ..._utils import find_module
from ...commands import Context, command
from ...exceptions import CommandError
from ...signals import end_at_termination

if TYPE_CHECKING:
    import socket

    from ...conf import Settings
    from ...server.place import Place

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
    _refuse_unfit(workers, max_requests, reloads_in_production=is_asked and bool(reload))
    with end_at_termination(), _listening(address) as (sock, url):
        from ...conf.environment import read_environment
        from ...conf.finding import find_settings_module, make_importable
        from ...server.place import find_place

        folder = Path.cwd()
        make_importable(folder)
        module, named_by = context.settings_module or "", "--settings"
        if not module:
            module, named_by = find_settings_module(folder, os.environ)
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
        from ...project import Outline

        settings = Outline.read(module, named_by=named_by).settings
        if is_asked or environment == "production":
            wishes = _Wishes(workers=workers, max_requests=max_requests)
            return _serve_in_production(settings, named_by, place, sock, url, wishes)
        return _serve_here(settings, place, sock, url, max_requests)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wishes:
    """What the command line wants of several processes in place of what the settings say."""

    workers: int | None
    max_requests: int | None


def _refuse_unfit(
    workers: int | None, max_requests: int | None, *, reloads_in_production: bool
) -> None:
    if workers is not None and workers < 1:
        raise CommandError(
            f"--workers is {workers}",
            code="management.E013",
            hint="at least one process has to serve",
        )
    if max_requests is not None and max_requests < 1:
        raise CommandError(
            f"--max-requests is {max_requests}",
            code="management.E013",
            hint="a process has to answer at least one; leave it out for no limit",
        )
    if reloads_in_production:
        raise CommandError(
            "--reload is for one process in development",
            code="management.E027",
            hint="leave out --reload: a restart by SIGHUP takes up new code",
        )


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


def _serve_in_production(
    settings: Settings,
    named_by: str,
    place: Place,
    sock: socket.socket,
    url: str,
    wishes: _Wishes,
) -> int:
    """Serve with as many processes as there should be; one is this one."""
    from ...server.gunicorn.orders import ManagerOrders, plan_of

    plan = plan_of(settings, asked=wishes.workers, max_requests=wishes.max_requests)
    if plan.number == 1:
        rule = plan.rule if wishes.workers is None else ()
        return _serve_here(settings, place, sock, url, wishes.max_requests, rule=rule)
    from ...server.gunicorn.becoming import become_manager

    orders = ManagerOrders(
        settings_module=settings.module,
        named_by=named_by,
        root=str(place.root),
        import_folder=str(place.import_folder),
        sock=sock.fileno(),
        url=url,
        environment=settings.environment,
        asked=wishes.workers,
        max_requests=wishes.max_requests,
        plan=plan,
    )
    return become_manager(orders, sock)


def _some_more(max_requests: int | None) -> int | None:
    """Return up to a tenth more, at random: replicas that began together do not end together."""
    from random import randint  # here, because it takes a moment

    return max_requests and max_requests + randint(0, max_requests // 10)


def _serve_here(
    settings: Settings,
    place: Place,
    sock: socket.socket,
    url: str,
    max_requests: int | None,
    *,
    rule: Sequence[str] = (),
) -> int:
    """Serve in this process, by the limits that the settings give."""
    from ...core.entrypoint import find_application
    from ...core.settings import Server
    from ...server.announcement import Announcer
    from ...server.serve import serve

    server = settings.section(Server)
    announcer = Announcer(
        url, settings_module=settings.module, environment=settings.environment, rule=rule
    )
    return serve(
        find_application(settings.module, place.root),
        sock,
        graceful_s=server.graceful_s,
        linger_s=server.linger_in(settings.environment),
        drain_s=server.drain_in(settings.environment),
        max_requests=_some_more(max_requests or server.max_requests),
        owns_listeners=True,
        observer=announcer,
        ends_process=True,
    )
