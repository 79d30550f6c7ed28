"""Notice: what a developer should know of a running project, said where they look anyway."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from .._utils import first_line, told
from ..exceptions import ComponentError, ForgeError, Location
from .container import Container
from .execution import execute
from .plan import plan

__all__ = ["Notice", "notice", "read_notices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A question about a running project; each answer is one line, and most often there is none.

    Args:
        name: Unique in the project; the function's name.
        function: Returns the lines.
    """

    name: str
    function: Callable[..., Awaitable[Sequence[str]]]

    def __repr__(self) -> str:
        return f"<Notice({self.name})>"


def notice(function: Callable[..., Awaitable[Sequence[str]]]) -> Notice:
    """Declare a notice, in an app's `notices.py`.

    `manage runserver` shows its lines when it begins to serve in development, and the welcome
    page whenever it is opened. It may ask resources, which a check may not.

    ```python
    @notice
    async def search_index(search: Search) -> list[str]:
        age_days = await search.age_days()
        return [f"the index is {age_days} days old: manage reindex"] if age_days > 7 else []
    ```

    Surprises: it has about two seconds, and one that fails becomes a line itself.

    Raises:
        ComponentError: It does not decorate an async function.
    """
    if not inspect.iscoroutinefunction(function):
        raise ComponentError(
            f"the notice {getattr(function, '__name__', function)!r} is not an async function",
            code="lifecycle.E014",
            hint="write `async def` and return a list of lines",
            where=Location.of(function),
        )
    return Notice(name=function.__name__, function=function)


async def read_notices(container: Container, *, timeout_s: float = 2) -> tuple[str, ...]:
    """Return the lines of every notice, in the order of installation. Never raises.

    Args:
        container: The running project.
        timeout_s: The time limit of all of them, which are asked side by side, in seconds.
    """
    notices: tuple[Notice, ...] = container.registry.values("notices")
    answers = await asyncio.gather(*(_read(each, container, timeout_s) for each in notices))
    return tuple(line for lines in answers for line in lines)


async def _read(notice: Notice, container: Container, timeout_s: float) -> tuple[str, ...]:
    limit = asyncio.timeout(timeout_s)
    try:
        async with limit, execute(container, plan(notice.function)) as values:
            return tuple(_lines(await notice.function(**values)))
    except ForgeError as error:
        problem = error.message
    except Exception as error:  # a notice is anybody's code, and no reason to show nothing
        # One of its own, of a socket for example, says best itself what it waited for.
        is_late = isinstance(error, TimeoutError) and limit.expired()
        problem = f"no answer within {timeout_s:g} s" if is_late else told(error)
    return (f"{notice.name} is not known: {problem}",)


def _lines(answer: Sequence[str]) -> Iterator[str]:
    # A single text is a sequence too: of letters.
    for text in (answer,) if isinstance(answer, str) else answer:
        if line := first_line(text):
            yield line
