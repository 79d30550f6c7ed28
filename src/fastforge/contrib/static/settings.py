"""The setting STATIC."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, field_validator

from ...conf import Section

__all__ = ["Static"]


class Static(Section, setting="STATIC"):
    """Files that are served as they are.

    ```python
    STATIC = Static(directories=["static"], cache_max_age_s=3600)
    ```

    Attributes:
        url: The path below which they stand; it begins with a slash and ends without one.
        directories: Folders of the project, relative to its root. Their files win over those
            of the apps.
        cache_max_age_s: How long a browser may use a file without asking again, in seconds;
            60, and in development and tests 0: it always asks, and is answered 304.
    """

    url: str = "/static"
    directories: Sequence[str | Path] = ()
    cache_max_age_s: int | None = Field(default=None, ge=0)

    @field_validator("url")
    @classmethod
    def _is_a_path(cls, url: str) -> str:
        if not url.startswith("/") or url.endswith("/"):
            raise ValueError("it has to begin with / and to end without one, as /static does")
        return url

    def cache_max_age_in(self, environment: str) -> int:
        """Return the age that holds in an environment, in seconds."""
        if self.cache_max_age_s is not None:
            return self.cache_max_age_s
        return 60 if environment == "production" else 0
