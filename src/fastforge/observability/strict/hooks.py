"""Hooks: how a call that blocks is heard of, before it does.

Most of what blocks raises an audit event, however it was imported and whoever calls it. What does
not is replaced by a function that looks first.
"""

from __future__ import annotations

import functools
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..watchdog.frames import is_theirs
from .errors import BlockingCallError
from .guard import is_on, refuse

__all__ = ["install"]

Test = Callable[..., bool]
"""Returns whether a call with these arguments blocks."""


def install() -> None:
    """Begin to hear of calls that block, in the whole process, for good. It is done once.

    Modules that are imported later are looked at when strict mode is turned on the next time.
    """
    with _lock:
        if not _done:
            _done.append(True)
            sys.addaudithook(_hear)
        for path, blocks in _FUNCTIONS.items():
            _replace(path, blocks)


_lock: Final = threading.Lock()
_done: Final[list[bool]] = []
_replaced: Final[dict[str, Any]] = {}


def _is_file(*arguments: Any) -> bool:
    path = arguments[0]
    is_of_the_kernel = isinstance(path, str) and path.startswith(("/dev/", "/proc/", "/sys/"))
    return not isinstance(path, int) and not is_of_the_kernel


def _waits(sock: Any, *_: Any, **__: Any) -> bool:
    return bool(sock.gettimeout() != 0)


def _is_name(host: Any, *_: Any) -> bool:
    """Return whether a host has to be asked for."""
    if not host:
        return False
    text = host.decode("latin-1") if isinstance(host, bytes) else str(host)
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except (OSError, ValueError):
            continue
        return False
    return True


def _is_on_disk(*arguments: Any) -> bool:
    return arguments[0] not in (":memory:", b":memory:")


def _always(*_: Any, **__: Any) -> bool:
    return True


# What is raised, what it is called, and whether it blocks with these arguments.
_EVENTS: Final[Mapping[str, tuple[str, Test]]] = {
    "open": ("open", _is_file),
    "os.listdir": ("os.listdir", _always),
    "os.scandir": ("os.scandir", _always),
    "shutil.copyfile": ("shutil.copyfile", _always),
    "shutil.copytree": ("shutil.copytree", _always),
    "shutil.move": ("shutil.move", _always),
    "shutil.rmtree": ("shutil.rmtree", _always),
    "subprocess.Popen": ("subprocess.Popen", _always),
    "os.system": ("os.system", _always),
    "os.spawn": ("os.spawnv", _always),
    "os.posix_spawn": ("os.posix_spawn", _always),
    "builtins.input": ("input", _always),
    "socket.getaddrinfo": ("socket.getaddrinfo", _is_name),
    "socket.gethostbyname": ("socket.gethostbyname", _is_name),
    "socket.gethostbyaddr": ("socket.gethostbyaddr", _always),
    "socket.getnameinfo": ("socket.getnameinfo", _always),
    "socket.connect": ("socket.socket.connect", _waits),
    "sqlite3.connect": ("sqlite3.connect", _is_on_disk),
}


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _EVENTS and is_on():
        name, blocks = _EVENTS[event]
        if blocks(*arguments):
            try:
                refuse(name)
            except BlockingCallError:
                # Libraries close what could not be connected, but do not expect this error.
                if event == "socket.connect":
                    arguments[0].close()
                raise


def _sleeps(seconds: Any) -> bool:
    return bool(seconds)


def _is_alive(thread: threading.Thread, timeout: float | None = None) -> bool:
    return thread.is_alive() and timeout != 0


def _waits_for_time(_: Any, timeout: float | None = None) -> bool:
    return timeout != 0


def _is_synchronous(dialect: Any, *_: Any, **__: Any) -> bool:
    return not dialect.is_async


# What raises no audit event. Modules that nobody has imported are left alone.
_FUNCTIONS: Final[Mapping[str, Test]] = {
    "time:sleep": _sleeps,
    "hashlib:pbkdf2_hmac": _always,
    "hashlib:scrypt": _always,
    "bcrypt:hashpw": _always,
    "bcrypt:checkpw": _always,
    "argon2.low_level:hash_secret": _always,
    "argon2.low_level:verify_secret": _always,
    "socket:socket.accept": _waits,
    "socket:socket.recv": _waits,
    "socket:socket.recv_into": _waits,
    "socket:socket.send": _waits,
    "socket:socket.sendall": _waits,
    "ssl:SSLSocket.read": _waits,
    "ssl:SSLSocket.write": _waits,
    "ssl:SSLSocket.do_handshake": _waits,
    "threading:Condition.wait": _waits_for_time,
    "threading:Thread.join": _is_alive,
    "psycopg:Connection.wait": _always,
    "psycopg.waiting:wait_conn": _always,
    "psycopg2:connect": _always,
    "sqlalchemy.engine.default:DefaultDialect.do_execute": _is_synchronous,
}


class _Looking:
    """Stands for a function of a module, and looks before it is called.

    No function itself: as what is written in C it becomes no method where it stands in a class.
    """

    def __init__(self, name: str, original: Any, blocks: Test) -> None:
        functools.update_wrapper(self, original)
        self._name = name
        self._original = original
        self._blocks = blocks

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if is_on() and self._blocks(*arguments[:1]):
            refuse(self._name)
        return self._original(*arguments, **named)

    def __reduce__(self) -> str:
        return self._name.rpartition(".")[2]  # pickled by name, as a function is


def _replace(path: str, blocks: Test) -> None:
    module_name, _, inside = path.partition(":")
    module = sys.modules.get(module_name)
    owner_name, _, attribute = inside.rpartition(".")
    owner: Any = getattr(module, owner_name, None) if owner_name else module
    original = getattr(owner, attribute, None)
    if owner is None or original is None or original is _replaced.get(path):
        return
    name = f"{module_name}.{inside}"
    make = _method if owner_name else _Looking
    looking = _replaced[path] = make(name, original, blocks)
    setattr(owner, attribute, looking)
    if not owner_name:
        _replace_in_modules(original, looking)


def _replace_in_modules(original: Any, looking: _Looking) -> None:
    """Replace what the user's modules have imported by name already."""
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", {})
        file = getattr(module, "__file__", None)
        for name in [name for name, value in list(names.items()) if value is original]:
            if file and is_theirs(file):
                setattr(module, name, looking)


def _method(name: str, original: Any, blocks: Test) -> Any:
    @functools.wraps(original)
    def looking(*arguments: Any, **named: Any) -> Any:
        if is_on() and blocks(*arguments[:2], **named):
            refuse(name)
        return original(*arguments, **named)

    return looking
