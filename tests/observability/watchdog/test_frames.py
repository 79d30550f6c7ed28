"""Frames of another thread are read while it runs, and neither thread's memory suffers from it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from fastforge.observability.watchdog import frames
from tests.commanding import python

PROGRAM = """
import gc, threading, time

from fastforge.observability.watchdog.frames import stack_of

def note(phase, info):
    for _ in range(3):
        time.sleep(0)  # the other thread goes on, as it does when a collection takes its time

def look():
    while not over.is_set():
        assert gc.isenabled()
        assert stack_of(main, None) is not None
        looks.append(1)

def deep(depth, *given):
    made = [depth, given, str(depth) * 3]
    return deep(depth - 1, made, depth) if depth else made

main, over, looks = threading.get_ident(), threading.Event(), []
gc.callbacks.append(note)
gc.set_threshold(5, 10, 10)
looking = threading.Thread(target=look)
looking.start()
ends_at = time.monotonic() + 1
while looking.is_alive() and (time.monotonic() < ends_at or not looks):
    deep(20)
over.set()
looking.join()
print("looked", len(looks) > 0)
"""


def test_a_collection_never_lets_a_frame_end_that_is_being_read(tmp_path: Path) -> None:
    """On Python 3.11 it did: what was read next was somebody else's memory, or nobody's."""
    done = python(["-c", PROGRAM], cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "looked True\n"), done.stderr


def test_a_walk_that_does_not_end_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "WALK_LIMIT_S", 0.01)
    found: list[frames.Stack | None] = []
    main = threading.get_ident()
    with frames._walking:
        walk = threading.Thread(target=lambda: found.append(frames.stack_of(main, None)))
        walk.start()
        walk.join()
    assert found == [None]
    assert frames.stack_of(main, None) is not None
