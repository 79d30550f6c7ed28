"""Clock: how far the clock of another machine is from ours, as far as one question can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from .examination import Diagnosis, Verdict

__all__ = ["ClockReading"]

WARNS_S: Final = 1.0
FAILS_S: Final = 30.0
"""The lease of a job, and what signed times usually bear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """What a clock said.

    Attributes:
        ahead_s: How far it is ahead of ours, in seconds; below 0 it is behind.
        unsure_s: How far off that may be: half of the time that the answer took.
    """

    ahead_s: float
    unsure_s: float

    @classmethod
    def between(cls, asked_at: float, said: float, answered_at: float) -> Self:
        """Return what a clock said between two readings of ours, all in seconds since 1970."""
        return cls(
            ahead_s=said - (asked_at + answered_at) / 2, unsure_s=(answered_at - asked_at) / 2
        )

    def diagnosis(self, *, of: str) -> Diagnosis:
        """Return the row that tells it.

        Args:
            of: Whose clock it is.
        """
        surely_s = max(abs(self.ahead_s) - abs(self.unsure_s), 0)
        verdict: Verdict = (
            "fail" if surely_s >= FAILS_S else "warn" if surely_s >= WARNS_S else "ok"
        )
        side = "ahead of" if self.ahead_s > 0 else "behind"
        if verdict == "ok":
            within_ms = max(abs(self.ahead_s) * 1000, abs(self.unsure_s) * 1000, 1)
            text = f"as ours, within {within_ms:.0f} ms"
        else:
            text = f"{abs(self.ahead_s):.1f} s {side} ours: leases and due times are off by that"
        hint = "let both machines keep their time by NTP (chrony, systemd-timesyncd)"
        return Diagnosis(what="clock", text=text, verdict=verdict, hint=hint, of=of)
