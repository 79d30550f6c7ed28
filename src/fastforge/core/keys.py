"""Keys: those that a project signs with, and what makes one that somebody can work out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from ..exceptions import Location, StartError

if TYPE_CHECKING:
    from ..conf import Settings

__all__ = ["MAKE_ONE", "AcceptedKey", "Weakness", "accepted_keys", "refuse_weak_keys", "weak_keys"]

MIN_BYTES: Final = 32
LEAST_BITS: Final = 100
MAKE_ONE: Final = 'make one with: python -c "import secrets; print(secrets.token_urlsafe(48))"'
EXAMPLES: Final = (
    "changeme",
    "change-me",
    "change_me",
    "example",
    "insecure",
    "placeholder",
    "password",
    "replace-me",
    "replace_me",
    "secret-key",
    "secret_key",
    "secretkey",
    "your-secret",
    "yoursecret",
)
"""Words of six letters and more: by chance one is in a key once in a thousand million."""


class Weakness(Enum):
    """Why a key is none. The value is what is said of the key."""

    SHORT = f"is shorter than {MIN_BYTES} bytes"
    EXAMPLE = "is an example, which others know too"
    NOT_RANDOM = "is long and not random: few different characters, or a part that is repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedKey:
    """A key of a project, and where it was written."""

    name: str
    value: str = field(repr=False)
    where: Location | None

    @property
    def example(self) -> str:
        """The word in it that says that it was meant to be replaced; empty where there is none."""
        text = self.value.lower()
        return next((word for word in EXAMPLES if word in text), "")

    def weaknesses(self) -> Iterator[Weakness]:
        """Yield what is wrong with it."""
        is_long = len(self.value.encode()) >= MIN_BYTES
        if not is_long:
            yield Weakness.SHORT
        if self.example:
            yield Weakness.EXAMPLE
        if is_long and (_repeats(self.value) or _bits(self.value) < LEAST_BITS):
            yield Weakness.NOT_RANDOM


def accepted_keys(settings: Settings) -> Iterator[AcceptedKey]:
    """Yield every key that a signature may be made with: an old one forges as the new one does."""
    name = "SECRET_KEY"
    yield AcceptedKey(name=name, value=settings[name], where=settings.where(name))
    name = "SECRET_KEY_FALLBACKS"
    for index, value in enumerate(settings[name]):
        yield AcceptedKey(name=f"{name}[{index}]", value=value, where=settings.where(name))


def refuse_weak_keys(settings: Settings) -> None:
    """Let nothing start in production that signs with a key which others can work out.

    Where there is no key at all, nothing is signed: whoever wants to is refused then.

    Raises:
        StartError: A key is weak.
    """
    refusal = next(weak_keys(settings), None)
    if refusal is not None:
        raise refusal


def weak_keys(settings: Settings) -> Iterator[StartError]:
    """Yield why nothing starts in production, for each key that others can work out."""
    for key in accepted_keys(settings) if settings.environment == "production" else ():
        weakness = next(key.weaknesses(), None) if key.value else None
        if weakness is not None:
            yield StartError(
                f"{key.name} is not fit for production: it {weakness.value}",
                code="signing.E005",
                hint=MAKE_ONE,
                where=key.where,
            )


def _repeats(text: str) -> bool:
    """Return whether a text is one shorter text again and again."""
    return text in (text + text)[1:-1]


def _bits(text: str) -> float:
    """Return at most how much chance is in a text, by how often its characters come."""
    size = len(text)
    return -sum(many * math.log2(many / size) for many in Counter(text).values())
