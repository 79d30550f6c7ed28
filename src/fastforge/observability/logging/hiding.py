"""Hiding: the fields of a line without secrets, for a fraction where there is none in them.

`redacted` looks at each value by itself. Most lines have a few short texts and numbers under names
that were seen before: then one look at all texts together says that there is nothing to hide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...redaction import is_sensitive, redacted, redacted_text
from ...redaction.rules import Redaction
from ...redaction.rules import current as current_rules

__all__ = ["shown"]

MOST_KEPT: Final = 4096
LONGEST_KEPT: Final = 64
"""Characters of a text that is remembered: names and events come again and again, bodies do not."""
LONGEST_TOGETHER: Final = 4096
"""Characters; what is longer is looked at one by one, and cut."""
LONGEST_EVENT: Final = 256 * 1024
"""Characters; the rest of a longer one is never looked at: that would hold up the event loop."""
HARMLESS: Final = frozenset({int, float, bool, type(None)})
LARGEST: Final = 2**63


class _Seen:
    """Names under which no secrets stand, and texts that have none, by the rules that hold."""

    __slots__ = ("names", "rules", "texts")

    def __init__(self, rules: Redaction | None = None) -> None:
        self.rules = rules
        self.names: set[str] = set()
        self.texts: set[str] = set()

    def are_harmless(self, texts: list[str]) -> bool:
        """Return whether none of some texts has a secret in it."""
        new = [text for text in texts if text not in self.texts]
        if not new:
            return True
        together = "\n".join(new)
        if len(together) > LONGEST_TOGETHER or redacted_text(together) != together:
            return False
        if len(self.texts) > MOST_KEPT:
            self.texts = set()
        self.texts.update(text for text in new if len(text) <= LONGEST_KEPT)
        return True

    def have(self, fields: Mapping[str, Any]) -> bool:
        """Return whether all names are harmless."""
        if self.names.issuperset(fields):
            return True
        if len(self.names) > MOST_KEPT:
            self.names = set()
        for name in fields:
            if type(name) is not str or is_sensitive(name) or redacted_text(name) != name:
                return False
            self.names.add(name)
        return True


class _Latest:
    """What was seen; one assignment, so that threads need no lock."""

    __slots__ = ("seen",)

    def __init__(self) -> None:
        self.seen = _Seen()


_latest: Final = _Latest()


def shown(event: str, fields: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return an event and its fields as they may be written down.

    Args:
        event: What has happened.
        fields: What there is to say of it.
    """
    seen = _latest.seen
    if seen.rules is not current_rules():
        seen = _latest.seen = _Seen(current_rules())
    if len(event) > LONGEST_EVENT:
        event = event[:LONGEST_EVENT]
    texts = [event]
    for value in fields.values():
        kind = type(value)
        if kind is str:
            texts.append(value)
        elif kind not in HARMLESS or (kind is int and not -LARGEST <= value < LARGEST):
            return redacted_text(event), redacted(fields)
    if seen.have(fields) and seen.are_harmless(texts):
        return event, fields
    return redacted_text(event), redacted(fields)
