"""Names and networks that are wider, or narrower, than anybody means."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["hosts_are_no_whole_domains", "hosts_are_reached", "proxies_are_few"]

PRIVATE: Final = frozenset({"internal", "local", "localhost", "lan", "home", "test", "svc"})
"""Names at the top under which nobody else can have one."""
WIDEST: Final = {4: 8, 6: 16}


@check(tags={"security", "settings"}, deploy=True)
def hosts_are_no_whole_domains(project: Project) -> Iterator[Message]:
    """Tell of a pattern under which anybody can have a name."""
    for host in project.settings["ALLOWED_HOSTS"]:
        domain = host.removeprefix("*.")
        if domain != host and "." not in domain and domain not in PRIVATE:
            yield Message(
                id="web.W060",
                level=Level.WARNING,
                text=f"ALLOWED_HOSTS has {host!r}: anybody can have a name below {domain}",
                hint=f"write your own domain, '*.shop.{domain}'",
                where=project.settings.where("ALLOWED_HOSTS"),
            )


@check(tags={"settings", "web"}, deploy=True)
def hosts_are_reached(project: Project) -> Iterator[Message]:
    """Tell that nobody outside of this machine would be answered."""
    settings = project.settings
    if settings.environment == "production" and all(map(_is_here, settings["ALLOWED_HOSTS"])):
        yield Message(
            id="web.W061",
            level=Level.WARNING,
            text=f"ALLOWED_HOSTS names this machine alone ({', '.join(settings['ALLOWED_HOSTS'])}):"
            " whoever calls it by another name is answered with 400",
            hint="write the names that clients use, ALLOWED_HOSTS=shop.example",
            where=settings.where("ALLOWED_HOSTS"),
        )


@check(tags={"security", "settings"}, deploy=True)
def proxies_are_few(project: Project) -> Iterator[Message]:
    """Tell that a large part of the internet is believed."""
    for entry in project.settings["TRUSTED_PROXIES"]:
        network = None if entry == "unix" else ipaddress.ip_network(entry)
        if network and 0 < network.prefixlen < WIDEST[network.version]:
            yield Message(
                id="web.W062",
                level=Level.WARNING,
                text=f"TRUSTED_PROXIES trusts a large part of the internet ({entry}): clients in it"
                " can pretend any address",
                hint="write the networks of your proxies",
                where=project.settings.where("TRUSTED_PROXIES"),
            )


def _is_here(host: str) -> bool:
    name = host.strip("[]").removeprefix("*.")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
