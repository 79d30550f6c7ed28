"""The settings of the watchdog and of strict mode."""

from __future__ import annotations

from pydantic import Field

from ...conf import Section

__all__ = ["Watchdog"]

_SHORTEST_TICK_S = 0.005
_SHORTEST_BLOCK_S = 0.02


class Watchdog(Section, setting="WATCHDOG"):
    """What becomes of code that holds up the event loop.

    ```python
    WATCHDOG = Watchdog(threshold_s=0.25)
    ```

    Attributes:
        enabled: Whether a thread beside each event loop of a server or worker names what blocks
            it. None: in production.
        strict: Whether a call that blocks, made by code on the event loop, raises
            BlockingCallError. None: in development and in tests.
        threshold_s: From how long on the loop is blocked, in seconds.
        tick_s: How often the loop says that it goes on, and how often it is looked at once it does
            not, in seconds.
        report_every_s: How long the same line is not told of again, in seconds.
        lasting_s: After how long a block is told of although it is not over, in seconds.
        pool_threshold_s: How long all of SERVER.threads may be taken while others wait, until
            those that hold them are named, in seconds.
    """

    enabled: bool | None = None
    strict: bool | None = None
    threshold_s: float = Field(default=0.1, ge=_SHORTEST_BLOCK_S)
    tick_s: float = Field(default=0.025, ge=_SHORTEST_TICK_S)
    report_every_s: float = Field(default=60, ge=0)
    lasting_s: tuple[float, ...] = (1, 5, 30)
    pool_threshold_s: float = Field(default=2, gt=0)

    def defaults_in(self, environment: str) -> dict[str, bool]:
        """Return what is on where nothing is written."""
        is_production = environment == "production"
        return {"enabled": is_production, "strict": not is_production}

    def is_enabled_in(self, environment: str) -> bool:
        """Return whether the watchdog runs in an environment."""
        return self.defaults_in(environment)["enabled"] if self.enabled is None else self.enabled

    def is_strict_in(self, environment: str) -> bool:
        """Return whether blocking calls raise in an environment."""
        return self.defaults_in(environment)["strict"] if self.strict is None else self.strict
