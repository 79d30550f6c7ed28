"""How a credential is sent, as the OpenAPI document says it: by the word that AUTH has."""

from __future__ import annotations

from typing import Any

from ...conf import Settings
from ...web.document import openapi_part
from .identity.scheme import SCHEME_NAME
from .settings import Auth

__all__ = ["token_scheme"]


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
