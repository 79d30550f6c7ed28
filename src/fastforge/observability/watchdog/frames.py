"""Frames: where a thread is, read from another thread: names and lines, never a value."""

from __future__ import annotations

import functools
import gc
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Final

from ..._utils import is_written_by_the_user
from ...exceptions import shown_path

__all__ = ["Place", "Stack", "is_theirs", "stack_of"]

DEEPEST: Final = 256
"""How many frames are walked: a recursion that is deeper is cut off at its outer end."""
SHOWN: Final = 16
WALK_LIMIT_S: Final = 1.0
"""How long one walk waits for another: in a forked process it may wait for nobody."""

_walking: Final = threading.Lock()

_LOOP: Final = tuple(
    os.path.join("asyncio", name) for name in ("base_events.py", "runners.py", "events.py")
)
_RESTS_IN: Final = ("selectors.py",)
_DEBUGGERS: Final = ("bdb.py", "pdb.py", "pydevd.py", "pydevd_frame.py", "debugpy")


@dataclass(frozen=True, slots=True)
class Place:
    """A line that runs.

    Args:
        code: What it belongs to.
        line: Its number.
    """

    code: CodeType
    line: int

    @property
    def file(self) -> str:
        """The path of its file, relative where that lies below the working directory."""
        return shown_path(self.code.co_filename)

    @property
    def function(self) -> str:
        """The name of its function, with the class or the function that it lies in."""
        return self.code.co_qualname

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function}"


@dataclass(frozen=True, slots=True)
class Stack:
    """What a thread with an event loop does at a moment: the frames above those of the loop.

    Args:
        places: The innermost first.
    """

    places: tuple[Place, ...]

    @property
    def innermost(self) -> Place | None:
        """Where it is; None where the loop itself waits, or looks for what is next."""
        return self.places[0] if self.places else None

    @property
    def guilty(self) -> Place | None:
        """The innermost line of the user's code; where none has called it, the innermost of all."""
        theirs = (place for place in self.places if is_theirs(place.code.co_filename))
        return next(theirs, self.innermost)

    @property
    def is_debugged(self) -> bool:
        """Whether somebody sits before a debugger's prompt."""
        names = (place.code.co_filename for place in self.places)
        return any(name.endswith(_DEBUGGERS[:-1]) or _DEBUGGERS[-1] in name for name in names)

    def shown(self) -> list[str]:
        """Return the lines, the innermost first, as many as a reader wants to see."""
        return [str(place) for place in self.places[:SHOWN]]


def stack_of(thread_id: int, base: FrameType | None) -> Stack | None:
    """Return where a thread is; None if it has ended.

    Surprises: no garbage is collected meanwhile, in no thread.

    Args:
        thread_id: The thread's `ident`.
        base: The frame that runs the loop, where that is not written in Python; the walk ends
            there.
    """
    with _resting_collector() as is_resting:
        # No frame outlives this: what it holds would be destroyed here, in the wrong thread.
        frame = sys._current_frames().get(thread_id) if is_resting else None
        if frame is None:
            return None
        places = tuple(_places(frame, base))
        del frame
    if places and places[-1].code.co_filename.endswith(_RESTS_IN) and len(places) == 1:
        places = ()
    return Stack(places)


@contextmanager
def _resting_collector() -> Iterator[bool]:
    """Let no collection begin inside; False where another walk is under way and does not end.

    Until Python 3.12 the object of another thread's frame is made in two steps, and a collection
    may begin between them. Whatever that calls in Python, as every clock of the collector, may let
    the other thread go on; the frame has ended then, and what is written is somebody else's memory.
    """
    if not _walking.acquire(timeout=WALK_LIMIT_S):
        yield False
        return
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield True
    finally:
        if was_enabled:
            gc.enable()
        _walking.release()


def _places(frame: FrameType | None, base: FrameType | None) -> Iterator[Place]:
    for _ in range(DEEPEST):
        if frame is None or frame is base:
            return
        code = frame.f_code
        if code.co_filename.endswith(_LOOP):
            return
        yield Place(code, frame.f_lineno)
        frame = frame.f_back


@functools.lru_cache(maxsize=4096)
def is_theirs(file: str) -> bool:
    """Return whether a file is the user's; it is looked at once."""
    return is_written_by_the_user(file)
