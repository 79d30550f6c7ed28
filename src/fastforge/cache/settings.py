"""The setting CACHE."""

from __future__ import annotations

from pydantic import Field

from ..conf import Section

__all__ = ["Caching"]


class Caching(Section, setting="CACHE"):
    """What is kept so that it need not be worked out again.

    ```python
    CACHE = Caching(default_ttl_s=60, max_bytes=256 * 2**20)
    ```

    Attributes:
        backend: The name of a cache backend: `redis` (of fastforge.contrib.redis) or `memory`.
            None: that of an installed app, else `memory`; in the environment `test` always
            `memory`, so that each test begins with an empty one.
        prefix: What the keys of this project begin with where others share the server. Empty: the
            name of the settings' package.
        version: A part of that as well: with another number nothing of before is found.
        default_ttl_s: How long a value is kept where nobody says, in seconds.
        max_entries: How many values the memory of one process keeps; the one that was not asked
            for the longest gives way.
        max_bytes: How many bytes they take together at most, keys included.
        max_value_bytes: A larger value is not kept at all.
        timeout_s: How long one call of a backend that is elsewhere may take, in seconds.
    """

    backend: str | None = None
    prefix: str = Field(default="", pattern=r"^[\w.-]*$")
    version: int = Field(default=1, ge=0)
    default_ttl_s: float = Field(default=300, gt=0)
    max_entries: int = Field(default=10_000, ge=1)
    max_bytes: int = Field(default=67_108_864, ge=1024)
    max_value_bytes: int = Field(default=1_048_576, ge=1)
    timeout_s: float = Field(default=0.25, gt=0)
