"""Places: the URLs that a verifier asks, and what they may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from .errors import IssuerRefused

if TYPE_CHECKING:
    from ...http.external.client import ExternalOptions

__all__ = ["Places"]

TIMEOUT_S = 5.0
MAX_BYTES = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Which hosts may be asked.

    Args:
        allow_networks: Inner networks that they may stand in; without any, the internet alone and
            https alone.
    """

    allow_networks: Sequence[str] = ()

    def checked(self, url: str, *, named: str) -> str:
        """Return a URL that may be asked.

        Args:
            url: As it was written, or as an issuer says.
            named: What it is, for the message.

        Raises:
            IssuerRefused: It may not.
        """
        parts = _parts(url)
        if parts is None:
            raise IssuerRefused(
                f"{named} is {url[:200]!r}, which is no URL that can be asked",
                code="auth.E032",
                hint="write it as in https://id.example.org/realms/shop",
            )
        _refuse_no_networks(self.allow_networks, named)
        if parts.scheme != "https" and not (parts.scheme == "http" and self.allow_networks):
            raise IssuerRefused(
                f"{named} is asked by {parts.scheme!r}: whoever sits in between decides who asks",
                code="auth.E033",
                hint="ask by https; in a network of your own, name it with allow_networks",
            )
        return url

    def options(self, url: str) -> ExternalOptions:
        """Return how a URL is asked: briefly, little is read, and nobody leads elsewhere."""
        parts = urlsplit(url)
        return {
            "timeout_s": TIMEOUT_S,
            "connect_timeout_s": TIMEOUT_S,
            "total_timeout_s": TIMEOUT_S,
            "max_bytes": MAX_BYTES,
            "max_redirects": 0,
            "https_only": parts.scheme == "https",
            "ports": (parts.port or (443 if parts.scheme == "https" else 80),),
            "allow_networks": self.allow_networks,
        }


def _refuse_no_networks(networks: Sequence[str], named: str) -> None:
    if isinstance(networks, str):
        raise _no_network(named, networks, "it is a text, and no list of them")
    for each in networks:
        try:
            ip_network(each)
        except ValueError as error:
            raise _no_network(named, each, str(error)) from None


def _no_network(named: str, text: str, problem: str) -> IssuerRefused:
    return IssuerRefused(
        f"allow_networks of {named} has {text!r}: {problem}",
        code="auth.E060",
        hint='write a list of networks, as in allow_networks=["10.0.0.0/8"]',
    )


def _parts(url: str) -> SplitResult | None:
    """Return the parts of a URL that names a host, and nothing that is nobody's business."""
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is none
        return None
    is_plain = url.isascii() and url.isprintable() and " " not in url
    return parts if is_whole and is_plain and not (parts.username or parts.fragment) else None
