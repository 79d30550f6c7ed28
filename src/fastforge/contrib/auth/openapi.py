"""How a credential is sent, as the OpenAPI document says it, and where it may be left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...conf import Settings
from ...web.document import openapi_part
from .identity.scheme import OPTIONAL_NAME, SCHEME_NAME
from .settings import Auth

__all__ = ["optional_tokens", "token_scheme"]


@openapi_part
def optional_tokens(document: dict[str, Any], settings: Settings) -> None:
    """Say of operations that know who asks, and do without, that a token may be left out."""
    schemes: dict[str, Any] = document.get("components", {}).get("securitySchemes", {})
    if OPTIONAL_NAME not in schemes:
        return
    schemes.setdefault(SCHEME_NAME, schemes.pop(OPTIONAL_NAME))
    for operation in _operations(document):
        security: list[dict[str, Any]] = operation.get("security", [])
        if {OPTIONAL_NAME: []} in security:
            named = [each for each in security if OPTIONAL_NAME not in each]
            operation["security"] = named or [{}, {SCHEME_NAME: []}]


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document.get("paths", {}).values():
        yield from (operation for operation in item.values() if isinstance(operation, dict))


@openapi_part
def token_scheme(document: dict[str, Any], settings: Settings) -> None:
    """Say that another word than Bearer stands before the token.

    Pages that try requests send what they are given then, since OpenAPI knows no other words.
    """
    word = settings.section(Auth).scheme
    schemes: dict[str, Any] = document.get("components", {}).get("securitySchemes", {})
    if SCHEME_NAME in schemes and word.lower() != "bearer":
        schemes[SCHEME_NAME] = {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": f"The word `{word}`, a space, and the token.",
        }
