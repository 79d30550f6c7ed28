"""Forms: a project is served by this process alone, or by several that it manages."""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .gunicorn.orders import Asked, ManagerOrders, ServingPlan, plan_of

if TYPE_CHECKING:
    from ..conf import Settings
    from .place import Place

__all__ = ["Site", "serve_here", "serve_in_production"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is served, and where.

    Args:
        settings: The project's settings.
        named_by: What gave the name of their module, for messages.
        place: The project's folders.
        sock: A socket that listens.
        url: The address, for messages.
    """

    settings: Settings
    named_by: str
    place: Place
    sock: socket.socket
    url: str

    @classmethod
    def of(
        cls, settings_module: str, named_by: str, place: Place, sock: socket.socket, url: str
    ) -> Site:
        """Read the settings of a project that is to be served.

        Raises:
            SettingsError: The settings module cannot be found or run.
            ErrorGroup: All mistakes in the settings.
        """
        from ..project import Outline

        settings = Outline.read(settings_module, named_by=named_by).settings
        return cls(settings=settings, named_by=named_by, place=place, sock=sock, url=url)


def serve_in_production(site: Site, asked: Asked) -> int:
    """Serve with as many processes as there should be, and return the exit code of this one.

    Args:
        site: What is served.
        asked: What the command line asks for.

    Raises:
        CommandError: The number of processes cannot be read, or the system has no gunicorn.
    """
    plan = plan_of(site.settings, asked)
    if plan.number == 1:
        rule = plan.rule if asked.workers is None else ()
        return serve_here(site, max_requests=_some_more(plan.max_requests), rule=rule)
    from .gunicorn.becoming import become_manager

    return become_manager(_orders(site, asked, plan), site.sock)


def serve_here(site: Site, *, max_requests: int | None = None, rule: Sequence[str] = ()) -> int:
    """Serve in this process by the limits of the settings, and return its exit code.

    Args:
        site: What is served.
        max_requests: After how many requests it ends by itself.
        rule: Lines for the log that say why it is one process.
    """
    from ..core.entrypoint import find_application
    from ..core.settings import Server
    from .announcement import Announcer
    from .serve import serve

    settings = site.settings
    server, environment = settings.section(Server), settings.environment
    return serve(
        find_application(settings.module, site.place.root),
        site.sock,
        graceful_s=server.graceful_s,
        linger_s=server.linger_in(environment),
        drain_s=server.drain_in(environment),
        spread_s=server.spread_in(environment),
        max_requests=max_requests,
        owns_listeners=True,
        observer=Announcer(
            site.url, settings_module=settings.module, environment=environment, rule=rule
        ),
        ends_process=True,
    )


def _orders(site: Site, asked: Asked, plan: ServingPlan) -> ManagerOrders:
    return ManagerOrders(
        settings_module=site.settings.module,
        named_by=site.named_by,
        root=str(site.place.root),
        import_folder=str(site.place.import_folder),
        sock=site.sock.fileno(),
        url=site.url,
        environment=site.settings.environment,
        asked=asked,
        plan=plan,
    )


def _some_more(max_requests: int | None) -> int | None:
    """Return up to a tenth more, at random: replicas that began together do not end together."""
    return max_requests and max_requests + random.randint(0, max_requests // 10)
