"""Mode: turning strict mode on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .callers import Exempt
from .guard import exemptions
from .hooks import install

__all__ = ["strict_mode"]


@contextmanager
def strict_mode(exempt: Exempt = lambda file: False) -> Iterator[None]:
    """Let calls that block raise BlockingCallError inside, wherever an event loop runs.

    ```python
    with strict_mode():
        asyncio.run(main())
    ```

    Surprises: it holds for the whole process, all its event loops included. Only code of the
    user's is held to it, and what libraries do at its call; imports, templates, log lines and
    tracebacks may read files.

    Args:
        exempt: Returns whether the code of a file may block.
    """
    install()
    exemptions.append(exempt)
    try:
        yield
    finally:
        exemptions.remove(exempt)
