"""Rules: what a project adds to the redaction of its process, frozen when it starts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final
from urllib.parse import quote

from .words import words_of

__all__ = ["Redaction", "current", "redacting"]

SHORTEST_SECRET: Final = 8
SHORTEST_WORD: Final = 16
"""A known secret that is a word (`postgres`) stands in texts that mean something else."""
HINTS: Final = (
    "a(?:uth|ssertion)|bearer|c(?:o(?:okie|de|nnection)|red|v)|dsn|jwt|key|nonce|otp|p(?:ass|wd)"
    "|s(?:e(?:cret|ssion)|i[dg]|rf|tate)|t(?:oken|icket)"
)
"""A part of each name that is one of a secret by itself: what most texts have none of."""


@dataclass(frozen=True, kw_only=True)
class Redaction:
    """What is masked beside what every process masks.

    ```python
    with redacting(Redaction(names=("iban",), secrets=("0f3c-9a1b-77d2",))):
        assert redacted_text("iban=DE02 of 0f3c-9a1b-77d2") == "iban=*** of ***"
    ```

    Args:
        names: Names whose values are secrets, as words within a name: `iban` is in `payer_iban`.
        patterns: Regular expressions; what they match is masked, or only their group `secret`.
            Surprises: they run over everything that is logged, so they should be quick.
        shown: Names whose values are shown although they look like those of secrets.
        secrets: Secrets that the settings know; masked wherever they stand. One below eight
            characters, or a plain word below sixteen, is not: it would mask what means
            something else.
    """

    names: tuple[str, ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()
    shown: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @cached_property
    def secret_words(self) -> frozenset[tuple[str, ...]]:
        """The names, as words."""
        return frozenset(filter(None, map(words_of, self.names)))

    @cached_property
    def shown_words(self) -> frozenset[tuple[str, ...]]:
        """The names that are shown, as words."""
        return frozenset(filter(None, map(words_of, self.shown)))

    @cached_property
    def is_plain(self) -> bool:
        """Whether names mean what they mean everywhere."""
        return not (self.names or self.shown)

    @cached_property
    def hints(self) -> re.Pattern[str]:
        """What finds a part of each name of a secret in a text in lower case."""
        own = {re.escape(max(words, key=len)) for words in self.secret_words}
        return re.compile("|".join([HINTS, *sorted(own)]))

    @cached_property
    def known(self) -> tuple[str, ...]:
        """What is masked wherever it stands, the longest first; also as a URL writes it."""
        usable = [secret for secret in self.secrets if _tells(secret)]
        written = {form for secret in usable for form in (secret, quote(secret, safe=""))}
        return tuple(sorted(written, key=lambda secret: (-len(secret), secret)))


def _tells(secret: str) -> bool:
    """Return whether a text that holds this can only mean the secret."""
    if len(secret) < SHORTEST_SECRET or not secret.strip("*"):
        return False
    return len(secret) >= SHORTEST_WORD or not (secret.isalpha() and secret.islower())


class _Process:
    """What holds in this process: the rules of every project that runs in it, together."""

    def __init__(self) -> None:
        self.entered: tuple[Redaction, ...] = ()
        self.together = Redaction()

    def hold(self, entered: Iterable[Redaction]) -> None:
        self.entered = tuple(entered)
        self.together = Redaction(
            names=tuple(name for each in self.entered for name in each.names),
            patterns=tuple(pattern for each in self.entered for pattern in each.patterns),
            shown=tuple(name for each in self.entered for name in each.shown),
            secrets=tuple(secret for each in self.entered for secret in each.secrets),
        )


_process: Final = _Process()


def current() -> Redaction:
    """Return what holds in this process."""
    return _process.together


@contextmanager
def redacting(rules: Redaction) -> Iterator[None]:
    """Let rules hold in this process, in every thread and task, beside those that hold already.

    Args:
        rules: Those of a project, which holds them while it runs.
    """
    rules = replace(rules)  # of its own, whoever else enters the same
    _process.hold((*_process.entered, rules))
    try:
        yield
    finally:
        _process.hold(each for each in _process.entered if each is not rules)
