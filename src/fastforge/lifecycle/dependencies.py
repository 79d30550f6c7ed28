"""Dependencies: what a function may ask for by annotation, in every kind of process.

Each gives a stock `fastapi.Depends`, so that handlers need nothing new; jobs, commands,
services and resources have the same annotations filled by the resolver.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends

from ..conf import Section
from .container import current_container
from .resource import Resource

__all__ = [
    "DrainSignal",
    "ResourceReader",
    "StopSignal",
    "injected",
    "provide",
    "section",
    "setting",
]

injected: Any = type("_Injected", (), {"__repr__": lambda self: "injected"})()
"""The default of an injected parameter of a task or command: `db: DbSession = injected`.

It keeps the parameter out of what a caller has to give, for people and for type checkers.
"""


@dataclass(frozen=True, slots=True)
class ResourceReader:
    """Reads one resource from the current container; `async`, so that it never costs a thread."""

    resource: Resource[Any]

    async def __call__(self) -> Any:
        return current_container()[self.resource]


@dataclass(frozen=True, slots=True)
class _SectionReader:
    section: type[Section]

    async def __call__(self) -> Any:
        return current_container().settings.section(self.section)


@dataclass(frozen=True, slots=True)
class _SettingReader:
    name: str

    async def __call__(self) -> Any:
        return current_container().settings[self.name]


def provide(resource: Resource[Any]) -> Any:
    """Return the dependency that gives a resource's running instance.

    ```python
    Search = Annotated[SearchClient, provide(search)]

    @router.get("/find")
    async def find(words: str, search: Search) -> list[str]: ...
    ```
    """
    return Depends(ResourceReader(resource))


def section(type_: type[Section]) -> Any:
    """Return the dependency that gives a section of the settings.

    ```python
    OrdersConfig = Annotated[Orders, section(Orders)]
    ```
    """
    return Depends(_SectionReader(type_))


def setting(name: str) -> Any:
    """Return the dependency that gives one setting by its upper-case name.

    ```python
    Debug = Annotated[bool, setting("DEBUG")]
    ```
    """
    return Depends(_SettingReader(name))


async def _drain_signal() -> asyncio.Event:
    return current_container().drain_signal


DrainSignal = Annotated[asyncio.Event, Depends(_drain_signal)]
"""The event that is set when the process is told to stop; what would go on for ever watches it.

An endless answer that ends by itself then is not cut off when the time of the requests is over.

```python
@router.get("/prices", response_class=EventSourceResponse)
async def prices(draining: DrainSignal) -> AsyncIterator[Price]:
    while not draining.is_set():
        yield await next_price()
```
"""


async def _stop_signal() -> asyncio.Event:
    return current_container().stopping


StopSignal = Annotated[asyncio.Event, Depends(_stop_signal)]
"""The event that is set when the process begins to stop; a service with `drain_s` watches it.

In a server requests have ended by then: they watch DrainSignal."""
