"""Words: from a name that somebody typed to those of a class, a variable and a path."""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Noun", "in_words"]

_UNCHANGED: Final = frozenset({"data", "media", "news", "series", "species", "status"})
_LOCAL: Final = frozenset(
    {
        *keyword.kwlist, *keyword.softkwlist, *dir(builtins),
        # What the handlers call other things.
        "changes", "count_words", "db", "name", "new", "page", "pagination", "router", "select",
        "task", "value",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """A thing that an app is about, in the forms that source code needs.

    Args:
        singular: One of them, in snake case: `order_line`.
    """

    singular: str

    @classmethod
    def of_many(cls, plural: str) -> Noun:
        """Return the noun of a plural, which an app is often called after: `categories`."""
        return cls(singular=_singular(plural))

    @property
    def plural(self) -> str:
        """Several of them: `order_lines`."""
        return _plural(self.singular)

    @property
    def class_name(self) -> str:
        """The name of the model: `OrderLine`."""
        return "".join(word[:1].upper() + word[1:] for word in self.singular.split("_"))

    @property
    def variable(self) -> str:
        """The name of a variable that hides nothing: `order_line`, but `type_`."""
        return f"{self.singular}_" if self.singular in _LOCAL else self.singular

    @property
    def path(self) -> str:
        """The last part of the address that lists them: `order-lines`."""
        return self.plural.replace("_", "-")


def in_words(name: str) -> str:
    """Return a name in snake case.

    >>> in_words("HTTPLog"), in_words("OrderLine"), in_words("order_line")
    ('http_log', 'order_line', 'order_line')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _plural(word: str) -> str:
    if word.rpartition("_")[2] in _UNCHANGED:
        return word
    if re.search(r"[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    return f"{word}es" if re.search(r"(s|x|z|ch|sh)$", word) else f"{word}s"


def _singular(word: str) -> str:
    if word.rpartition("_")[2] in _UNCHANGED or re.search(r"(ss|us|is)$", word):
        return word
    if re.search(r"[^aeiou]ies$", word) and len(word) > len("ties"):
        return f"{word[:-3]}y"
    if re.search(r"(ss|x|z|ch|sh)es$", word):
        return word[:-2]
    return word[:-1] if word.endswith("s") and len(word) > 1 else word
