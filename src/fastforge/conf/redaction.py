"""Redaction: what of a setting may be shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretBytes, SecretStr

from ..redaction import MASK, is_sensitive, redacted_text
from ..redaction.names import is_hidden

if TYPE_CHECKING:
    from .settings import Settings

__all__ = ["MASK", "is_hidden", "is_secret_name", "masked", "secrets_of"]


def is_secret_name(name: str) -> bool:
    """Return whether a setting or field of this name is never shown."""
    return is_sensitive(name)


def masked(text: str, secrets: Iterable[str]) -> str:
    """Mask the secrets that were read, the longest first, and what looks like a password."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return redacted_text(text)


def secrets_of(settings: Settings) -> frozenset[str]:
    """Return every secret that the settings of a project know.

    What `env.secret` has read, what stands under the name of a secret or in a `SecretStr`, and the
    passwords of URLs, also as the program that connects takes them, without percent signs.
    """
    values = [*settings.raw.record.secrets]
    for name, value in settings.items():
        values += _secrets(name, value)
    known = {*values, *(password for value in values for password in _passwords(value))}
    return frozenset(filter(None, known))


def _secrets(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr | SecretBytes):
        secret = value.get_secret_value()
        yield secret if isinstance(secret, str) else secret.decode("utf-8", "replace")
    elif isinstance(value, str):
        if is_secret_name(name):
            yield value
        yield from _passwords(value)
    elif isinstance(value, BaseModel):
        for field, inner in value:
            yield from _secrets(field, inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _secrets(str(key), inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _secrets(name, inner)


def _passwords(value: str) -> Iterator[str]:
    try:
        password = urlsplit(value).password if "@" in value else None
    except ValueError:  # no URL
        return
    if password:
        yield from (password, unquote(password))
