"""Canaries: secrets that sing wherever they get out, and say from where they did."""

from __future__ import annotations

import base64
from collections.abc import Mapping

__all__ = ["escaped", "jwt", "value"]

VALUE = "cnry"
SIGNATURE = "c2lnbmVkYnlhY25yeQ"


def value(place: str) -> str:
    """A secret that only its name, or the settings, can tell."""
    return f"{VALUE}-{place}-7f3a9b"


def jwt(place: str) -> str:
    """A JSON Web Token."""
    header, payload = (
        base64.urlsafe_b64encode(part.encode()).decode().rstrip("=")
        for part in ('{"alg":"HS256"}', f'{{"canary":"{place}"}}')
    )
    return f"{header}.{payload}.{SIGNATURE}"


SONGS = (VALUE, jwt("").split(".")[1][:12], SIGNATURE)
"""What is in every canary, of whatever place."""


def escaped(sinks: Mapping[str, str]) -> list[str]:
    """Where a canary is, with some of what stands around it."""
    return [
        f"{name}: ...{text[max(0, at - 160) : at + 60]!r}"
        for name, text in sinks.items()
        for song in SONGS
        if (at := text.find(song)) >= 0
    ]
