"""What a line may show is found in a time that does not depend on how much there is."""

from __future__ import annotations

import pytest

from fastforge.observability.logging import hiding
from fastforge.redaction import redacted_text


def test_a_text_is_never_searched_beyond_what_a_line_could_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A body of 50 MB that somebody logs would hold up the event loop for more than a second."""
    searched: list[int] = []

    def counting(text: str) -> str:
        searched.append(len(text))
        return redacted_text(text)

    monkeypatch.setattr(hiding, "redacted_text", counting)
    event, _ = hiding.shown("password=hunter2 " + "x" * 5_000_000, {})
    assert event.startswith("password=*** x")
    assert 0 < max(searched) <= hiding.LONGEST_EVENT
