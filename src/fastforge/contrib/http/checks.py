"""Checks of EXTERNAL_HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check
from .settings import ExternalHttp

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["urls_of_others_stay_outside"]

_OURSELVES: Final = tuple(map(ip_network, ("127.0.0.0/8", "::1/128")))


@check(tags={"http", "security"}, deploy=True)
def urls_of_others_stay_outside(project: Project) -> Iterator[Message]:
    """Find networks by which URLs of others reach what runs on this machine."""
    for text in project.settings.section(ExternalHttp).allow_networks:
        network = ip_network(text)
        # Each is of one version, and one of the other overlaps with nothing.
        if any(network.version == each.version and network.overlaps(each) for each in _OURSELVES):
            yield Message(
                id="http.W001",
                level=Level.WARNING,
                text=f"EXTERNAL_HTTP.allow_networks has {text!r}: URLs that somebody else gives"
                " reach what runs on this machine",
                hint="leave it to the settings of tests, and call services of your own with"
                " HttpClient itself",
                where=project.settings.where("EXTERNAL_HTTP"),
            )
