"""Tokens that somebody else gives: an issuer of OpenID Connect, or an endpoint that is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import IssuerAway as IssuerAway
    from .errors import IssuerRefused as IssuerRefused
    from .introspection import Introspection as Introspection
    from .oidc import OidcIssuer as OidcIssuer

__all__ = ["Introspection", "IssuerAway", "IssuerRefused", "OidcIssuer"]


def __getattr__(name: str) -> object:
    from ...._utils import lazy_attribute

    homes = {
        "Introspection": "introspection",
        "IssuerAway": "errors",
        "IssuerRefused": "errors",
        "OidcIssuer": "oidc",
    }
    return lazy_attribute(__name__, homes, name)
