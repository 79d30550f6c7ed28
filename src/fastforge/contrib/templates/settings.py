"""The setting TEMPLATES."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...conf import Section

__all__ = ["Templates"]


class Templates(Section, setting="TEMPLATES"):
    """Where templates are, and how strictly they are read.

    ```python
    TEMPLATES = Templates(directories=["templates"])
    ```

    Attributes:
        directories: Folders of the project, relative to its root. Their templates win over
            those of the apps.
        auto_reload: Whether a changed file is read again; in development alone unless set.
        strict: Whether a name that has no value is an error. Where it is not, it prints as
            nothing. Unless set: everywhere but in production.
    """

    directories: Sequence[str | Path] = ()
    auto_reload: bool | None = None
    strict: bool | None = None

    def defaults_in(self, environment: str) -> dict[str, bool]:
        """Return what holds where nothing is written."""
        return {
            "auto_reload": environment == "development",
            "strict": environment != "production",
        }

    def reloads_in(self, environment: str) -> bool:
        """Return whether a changed file is read again in an environment."""
        return environment == "development" if self.auto_reload is None else self.auto_reload

    def is_strict_in(self, environment: str) -> bool:
        """Return whether a name without a value is an error in an environment."""
        return environment != "production" if self.strict is None else self.strict
