"""Policy: which URLs are asked, and which addresses are connected to."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final, Self

from ..library import httpx
from ..settings import ExternalHttp
from .addresses import Address, Network, address_of, innermost, is_metadata, special_use
from .errors import ExternalRefused

__all__ = ["Policy", "host_of"]

logger = logging.getLogger("fastforge.http")

_LABEL: Final = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_LONGEST_NAME: Final = 254
# What resolvers read as a part of an IPv4 address: `http://127.1/`, `http://0x7f000001/`.
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What may be asked.

    Attributes:
        schemes: Of URLs.
        ports: Of URLs.
        allow_hosts: Names, of which a URL has to have one unless there are none.
        deny_hosts: Names that are not asked.
        allow_networks: What may be connected to although it is not a part of the internet.
        deny_networks: What may not be connected to although it is.
    """

    schemes: frozenset[str]
    ports: frozenset[int]
    allow_hosts: frozenset[str]
    deny_hosts: frozenset[str]
    allow_networks: tuple[Network, ...]
    deny_networks: tuple[Network, ...]

    @classmethod
    def of(cls, config: ExternalHttp) -> Self:
        """Return that of the settings."""
        return cls(
            schemes=frozenset({"https"} if config.https_only else {"http", "https"}),
            ports=frozenset(config.ports),
            allow_hosts=frozenset(map(_plain, config.allow_hosts)),
            deny_hosts=frozenset(map(_plain, config.deny_hosts)),
            allow_networks=tuple(ip_network(text) for text in config.allow_networks),
            deny_networks=tuple(ip_network(text) for text in config.deny_networks),
        )

    def check_url(self, url: httpx.URL) -> None:
        """Return if a URL may be asked, as far as it tells that itself.

        Raises:
            ExternalRefused: It may not.
        """
        self.check_scheme(url.scheme)
        if url.userinfo:
            raise ExternalRefused(
                f"a URL of {host_of(url)!r} with a user name is not asked",
                code="http.E005",
                hint="give credentials by `auth=`",
            )
        self._check_host(url)
        port = _PORTS[url.scheme] if url.port is None else url.port
        if port not in self.ports:
            raise ExternalRefused(
                f"the port {port} of {host_of(url)!r} is not asked",
                code="http.E006",
                hint=f"the ports are {', '.join(map(str, sorted(self.ports)))}",
            )

    def check_scheme(self, scheme: str) -> None:
        """Return if URLs of a scheme may be asked.

        Raises:
            ExternalRefused: They may not.
        """
        if scheme not in self.schemes:
            raise ExternalRefused(
                f"a URL with the scheme {scheme!r} is not asked",
                code="http.E004",
                hint=f"write {' or '.join(f'{each}://' for each in sorted(self.schemes))}",
            )

    def check_addresses(self, host: str, addresses: Sequence[str]) -> None:
        """Return if all addresses of a host may be connected to.

        Raises:
            ExternalRefused: One may not, so that none is.
        """
        for text in addresses:
            use = self._use_of(address_of(text))
            if use:
                logger.info("%s is not asked: its address %s is %s", host, text, use)
                raise ExternalRefused(
                    f"{host!r} is not asked: it is not a host of the internet",
                    code="http.E008",
                    hint="EXTERNAL_HTTP.allow_networks names inner networks that may be asked",
                )

    def _check_host(self, url: httpx.URL) -> None:
        host = host_of(url)
        if not _is_plain(host):
            raise ExternalRefused(
                f"{host!r} is not asked: it is not the usual form of a host",
                code="http.E003",
                hint="write a name, four numbers, or an IPv6 address in brackets",
            )
        host = _plain(host)
        is_allowed = not self.allow_hosts or _is_among(host, self.allow_hosts)
        if not is_allowed or _is_among(host, self.deny_hosts):
            raise ExternalRefused(
                f"{host!r} is not asked: the lists of hosts leave it out",
                code="http.E007",
                hint="see EXTERNAL_HTTP.allow_hosts and deny_hosts",
            )

    def _use_of(self, address: Address) -> str:
        forms = {address, innermost(address)}
        if _is_in(forms, self.deny_networks):
            return "denied"
        if is_metadata(address):
            return "metadata"
        return "" if _is_in(forms, self.allow_networks) else special_use(address)


def host_of(url: httpx.URL) -> str:
    """Return the host of a URL as it is asked for: names of all languages in ASCII."""
    return url.raw_host.decode("ascii")


def _is_plain(host: str) -> bool:
    """Return whether a host has the one form that nobody reads in another way."""
    if ":" in host:  # IPv6: a zone says which of our own networks
        return "%" not in host
    if len(host) > _LONGEST_NAME or not _NAME.fullmatch(host):
        return False
    labels = host.rstrip(".").split(".")
    return _NUMBER.fullmatch(labels[-1]) is None or _is_address(host)


def _is_address(text: str) -> bool:
    try:
        address_of(text)
    except ValueError:
        return False
    return True


def _plain(host: str) -> str:
    return host.lower().rstrip(".")


def _is_among(host: str, names: frozenset[str]) -> bool:
    """Return whether a host is in a list, itself or by `*.` before a name above it."""
    if host in names:
        return True
    labels = host.split(".")
    return any(f"*.{'.'.join(labels[n:])}" in names for n in range(1, len(labels)))


def _is_in(forms: Iterable[Address], networks: tuple[Network, ...]) -> bool:
    return any(form in network for form in forms for network in networks)
