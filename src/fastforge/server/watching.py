"""Watching: which files a running application depends on, and the edits of them."""

from __future__ import annotations

import importlib.util
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .place import Place

if TYPE_CHECKING:
    from watchfiles import BaseFilter

__all__ = ["Watcher", "forget_bytecode", "named_edits", "watch_edits"]

POLL_MS: Final = 300
DEBOUNCE_MS: Final = 200
STEP_MS: Final = 50
ALSO_WATCHED: Final = (".env", "pyproject.toml")
WATCHES_AFTER_S: Final = 2


class Watcher:
    """Watches the files of a project in a thread, once its first child has begun.

    Args:
        place: The project's folders.
        tell: Is given `("edited", paths)`, and `("blind", error)` when it cannot watch.
    """

    def __init__(self, place: Place, tell: Callable[[tuple[str, object]], None]) -> None:
        self._place = place
        self._tell = tell
        self._since = time.time()
        self._stopping = threading.Event()
        self._has_begun = threading.Event()

    def start(self) -> None:
        """Begin to watch, in a moment; edits since this object was made count."""
        threading.Thread(target=self._watch, daemon=True).start()

    def hurry(self) -> None:
        """Say that the first child needs the machine no more."""
        self._has_begun.set()

    def stop(self) -> None:
        """Watch no more."""
        self._stopping.set()

    def _watch(self) -> None:
        def report(paths: list[str]) -> None:
            self._tell(("edited", paths))

        # The child needs the machine more: what is edited meanwhile is found afterwards.
        self._has_begun.wait(WATCHES_AFTER_S)
        try:
            watch_edits(self._place, since=self._since, stopping=self._stopping, report=report)
        except OSError as error:
            self._tell(("blind", error))


def watch_edits(
    place: Place, *, since: float, stopping: threading.Event, report: Callable[[list[str]], None]
) -> None:
    """Report edits of `.py` files, of `.env` and of `pyproject.toml` until `stopping` is set.

    Templates are not among them: they are read anew without a restart.

    Args:
        place: The project's folders.
        since: Edits after this time count, also those before this call, as seconds of the epoch.
        stopping: Ends the watch.
        report: Is given the paths of the files that have been edited or removed.
    """
    from watchfiles import watch  # takes a moment, in which the child has started already

    is_watched = _filter(place)
    unseen = True
    for changes in watch(
        *{place.root, place.import_folder},
        watch_filter=is_watched,
        debounce=DEBOUNCE_MS,
        step=STEP_MS,
        rust_timeout=POLL_MS,
        yield_on_timeout=True,
        stop_event=stopping,
        raise_interrupt=False,
        ignore_permission_denied=True,
    ):
        edited = {path for _, path in changes}
        if unseen:  # what was written before the watch began
            edited.update(_edited_since(since, place, is_watched))
            unseen = False
        if edited:
            report(sorted(edited))


def named_edits(paths: list[str], place: Place) -> str:
    """Return what was edited, in words."""
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{os.path.relpath(paths[0], place.root)}{more}"


def forget_bytecode(paths: list[str]) -> None:
    """Remove the compiled form of edited modules.

    Python compares size and time of a source file in whole seconds: of two edits in the same
    second that do not change the size, it would not see the second one.
    """
    for path in paths:
        if path.endswith(".py"):
            with suppress(OSError, NotImplementedError):
                os.unlink(importlib.util.cache_from_source(path))


def _filter(place: Place) -> BaseFilter:
    from watchfiles import Change, DefaultFilter

    beginning = f"{place.import_folder}{os.sep}"
    others = {str(place.root / name) for name in ALSO_WATCHED}

    class Watched(DefaultFilter):
        def __call__(self, change: Change, path: str) -> bool:
            is_code = path.endswith(".py") and path.startswith(beginning)
            return (is_code or path in others) and super().__call__(change, path)

    return Watched()


def _edited_since(time: float, place: Place, is_watched: BaseFilter) -> Iterator[str]:
    from watchfiles import Change

    ignored = set(is_watched.ignore_dirs)
    for folder, folders, files in os.walk(place.root):
        folders[:] = [name for name in folders if name not in ignored]
        for name in files:
            path = os.path.join(folder, name)
            with suppress(OSError):
                if is_watched(Change.modified, path) and Path(path).stat().st_mtime > time:
                    yield path
