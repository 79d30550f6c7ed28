"""Terminal: a screen of its own for a program that shows something live, and its keys."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

__all__ = ["is_live_terminal", "keys_in", "show", "size", "taken_terminal"]

ENTER: Final = "\x1b[?1049h\x1b[?25l"
LEAVE: Final = "\x1b[0m\x1b[?25h\x1b[?1049l"
HOME: Final = "\x1b[H"
CLEAR_LINE: Final = "\x1b[K"
CLEAR_BELOW: Final = "\x1b[J"
LONGEST_INPUT: Final = 1024

_KEY: Final = re.compile(r"\x1b[\[O](?P<arrow>[A-D])|\x1b\[[0-?]*[ -/]*[@-~]|[^\x1b]")
_ARROWS: Final = {"A": "up", "B": "down"}
_NAMES: Final = {"\x03": "quit", "\x04": "quit", "q": "quit", "k": "up", "j": "down"}


def is_live_terminal() -> bool:
    """Return whether a person looks at the output who can type, in a terminal that can move."""
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    return is_terminal and os.environ.get("TERM", "dumb") != "dumb"


@contextmanager
def taken_terminal(on_key: Callable[[str], None], on_resize: Callable[[], None]) -> Iterator[None]:
    """Have the terminal to oneself within the block; it is as before afterwards, come what may.

    Ctrl-C is a key then, and no signal. Nothing is logged meanwhile: it would stand in the picture.

    Args:
        on_key: Is given each key on the event loop: `quit`, `up`, `down`, or what it writes.
        on_resize: Is called when the terminal has another size.
    """
    import termios  # no part of Python on Windows

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    changed = termios.tcgetattr(descriptor)
    changed[0] &= ~termios.IXON
    changed[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
    try:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, changed)
        _write(ENTER)
        with _heard(descriptor, on_key, on_resize), _without_logging():
            yield
    finally:
        with suppress(OSError):  # nobody has the other end any more
            _write(LEAVE)
        with suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextmanager
def _heard(
    descriptor: int, on_key: Callable[[str], None], on_resize: Callable[[], None]
) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            data = os.read(descriptor, LONGEST_INPUT)
        except OSError:  # how Linux says that the terminal is gone
            data = b""
        for key in keys_in(data.decode(errors="replace")) if data else ["quit"]:
            on_key(key)

    loop.add_reader(descriptor, read)
    with suppress(NotImplementedError, RuntimeError, ValueError):  # only a main thread hears it
        loop.add_signal_handler(signal.SIGWINCH, on_resize)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.remove_signal_handler(signal.SIGWINCH)


@contextmanager
def _without_logging() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)


def keys_in(text: str) -> list[str]:
    """Return the keys that a terminal's input stands for."""
    found = []
    for key in _KEY.finditer(text):
        if key["arrow"]:
            found.append(_ARROWS.get(key["arrow"], ""))
        elif len(key[0]) == 1:
            letter = key[0].lower()
            found.append(_NAMES.get(letter, letter))
    return [key for key in found if key]


def show(lines: Sequence[str]) -> None:
    """Write lines from the top of the screen, over whatever stands there."""
    _write(HOME + "\r\n".join(f"{line}{CLEAR_LINE}" for line in lines) + CLEAR_BELOW)


def size() -> os.terminal_size:
    """Return how large the terminal is."""
    try:
        found = os.get_terminal_size(sys.stdout.fileno())
    except OSError:
        return os.terminal_size((80, 24))
    return found if found.columns and found.lines else os.terminal_size((80, 24))


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
