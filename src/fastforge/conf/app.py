"""App: an entry of INSTALLED_APPS that says more than the package's name."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["App"]


@dataclass(frozen=True, slots=True)
class App:
    """An installed app with what this project decides about it.

    ```python
    INSTALLED_APPS = ["fastforge.contrib.db", App("shop.orders", prefix="/api")]
    ```

    Args:
        name: The dotted name of the app's package.
        prefix: Put in front of the paths of all its routers, for example `/api`.
    """

    name: str
    prefix: str = ""
