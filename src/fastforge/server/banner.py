"""Banner: what a developer wants to see when the server is up, in a dozen lines at most."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from .. import __version__
from ..core.identity import LABEL
from ..core.services import where_jobs_run
from ..lifecycle import Container, Health, check_health, read_notices
from ..observability.logging.console import is_coloured

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["banner"]

WIDTH: Final = 100
FAILURES_SHOWN: Final = 2
NOTICES_SHOWN: Final = 3

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _CYAN = "1", "2", "31", "32", "33", "36"
_Row = tuple[str, str]
T = TypeVar("T")


async def banner(container: Container, app: FastAPI, *, url: str, notes: Sequence[str] = ()) -> str:
    """Return what stands in the terminal of a developer while the server runs.

    It asks the resources and the notices, which takes two seconds at most. Colours are for a
    terminal alone, and for none where NO_COLOR is set.

    Args:
        container: The running project.
        app: Its application.
        url: Where it listens, without a slash at the end.
        notes: More facts for the first line, such as `reloads on changes`.
    """
    health, notices = await asyncio.gather(
        check_health(container, all_resources=True), read_notices(container)
    )
    settings = container.settings
    paint = _Paint(is_coloured(sys.stdout))
    facts = ", ".join((settings.module, settings.environment, *notes))
    rows = [
        ("Server", paint(_CYAN, url)),
        *_docs(app, url, paint),
        *_resources([each for each in health if each.app != LABEL], paint),
        *_jobs(container),
        *_notices(notices, paint),
    ]
    head = f"{paint(_BOLD, f'fastforge {__version__}')}  {facts}"
    return "\n".join((head, *_aligned(rows, paint), paint(_DIM, "Ctrl-C stops")))


class _Paint:
    """Puts a text into a colour, where colours are wanted."""

    def __init__(self, colours: bool) -> None:
        self._colours = colours

    def __call__(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colours else text


def _docs(app: FastAPI, url: str, paint: _Paint) -> Iterator[_Row]:
    # An application that something of the user's own encloses is no FastAPI any more.
    path = getattr(app, "openapi_url", None) and getattr(app, "docs_url", None)
    if path:
        yield "API docs", paint(_CYAN, f"{url}{path}")


def _resources(health: Sequence[Health], paint: _Paint) -> Iterator[_Row]:
    working = [_named(each) for each in health if not each.error]
    if working:
        yield "Resources", f"{_listed(working)}: {paint(_GREEN, 'ok')}"
    for each, more in _first([each for each in health if each.error], FAILURES_SHOWN):
        state = paint(_RED, "unavailable")
        yield "Resources", f"{_named(each)}: {state}: {_short(each.error)}{more}"


def _named(health: Health) -> str:
    return f"{health.resource} ({health.app})"


def _listed(names: list[str]) -> str:
    """Return as many names as a line has room for, and how many are left out."""
    shown = list(names)
    while len(", ".join(shown)) > WIDTH and len(shown) > 1:
        shown.pop()
    left = len(names) - len(shown)
    return ", ".join(shown) + (f" and {left} more" if left else "")


def _jobs(container: Container) -> Iterator[_Row]:
    if where := where_jobs_run(container):
        yield "Jobs", where


def _notices(notices: Sequence[str], paint: _Paint) -> Iterator[_Row]:
    for line, more in _first(notices, NOTICES_SHOWN):
        yield "Notice", paint(_YELLOW, _short(line)) + more


def _first(items: Sequence[T], limit: int) -> Iterator[tuple[T, str]]:
    """Yield some of the items, the last one with how many are left out."""
    left = len(items) - limit
    for position, item in enumerate(items[:limit], start=1):
        yield item, f" (and {left} more)" if left > 0 and position == limit else ""


def _short(text: str) -> str:
    """Return a text that others wrote so that it fits and cannot steer the terminal."""
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."


def _aligned(rows: Iterable[_Row], paint: _Paint) -> Iterator[str]:
    before = ""
    for label, text in rows:
        shown = "" if label == before else label
        before = label
        yield f"  {paint(_DIM, f'{shown:<9}')}  {text}"
