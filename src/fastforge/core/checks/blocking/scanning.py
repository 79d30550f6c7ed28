"""Scanning: the calls that block in a function, its helpers of the project included."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ....observability.replacements import Blocking, blocking_call
from .evaluation import Reader
from .knowledge import is_bound_to_a_thread
from .places import Places, places_of
from .scopes import Scope, scope_of
from .values import Function, Made, Named, OwnClass, Value

if TYPE_CHECKING:
    from ..source import AppModule

__all__ = ["DEPTH", "Found", "Helper", "Scanner"]

DEPTH: Final = 2
"""How many helpers may lie between a coroutine function and what blocks."""

_CALLS_ITS_ARGUMENT: Final = frozenset(
    {"map", "filter", "sorted", "min", "max", "functools.reduce", "itertools.starmap"}
)
_HARMLESS: Final = frozenset(
    {"staticmethod", "classmethod", "contextmanager", "wraps", "override", "deprecated"}
)
_BUFFERS: Final = frozenset({"io.BytesIO", "io.StringIO"})
_LAZY: Final = frozenset(
    f"pathlib.Path.{name}" for name in ("iterdir", "glob", "rglob", "walk")
) | {"os.walk", "glob.iglob"}
"""What reads nothing before somebody goes through it."""
_OF_FUTURES: Final = frozenset(
    {"concurrent.futures.Future.result", "concurrent.futures.Future.exception"}
)
_STARTS: Final = frozenset({"fastforge.resource", "fastforge.lifecycle.resource"})
_NOT_AT_A_START: Final = frozenset({"files", "processor"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Helper:
    """A plain function of the project on the way to what blocks.

    Args:
        name: As it is called.
        file: Its module.
        line: The line in it that blocks, or that calls the next one.
        is_generator: Whether it gives values one after the other.
    """

    name: str
    file: AppModule
    line: int
    is_generator: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A call that blocks.

    Args:
        blocking: What is called in the end.
        node: The place in the function that was scanned.
        helpers: Those in between, the outermost first.
        is_kept: Whether something else is done with what it gives: the file that was opened.
    """

    blocking: Blocking
    node: ast.expr
    helpers: tuple[Helper, ...] = ()
    is_kept: bool = False


class Scanner:
    """Finds what blocks.

    Args:
        reader: Tells what an expression means.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[tuple[ast.AST, int], tuple[Found, ...]] = {}

    def blocking_in(self, function: Function, depth: int = DEPTH) -> tuple[Found, ...]:
        """Return what blocks when a function runs, in the order of the source.

        Args:
            function: The function.
            depth: How many helpers may lie in between.
        """
        key = (function.node, depth)
        if key not in self._known:
            self._known[key] = ()  # one that calls itself
            found = self._found(scope_of(function), depth)
            left_out = _NOT_AT_A_START if self._runs_at_the_start(function) else ()
            self._known[key] = tuple(each for each in found if each.blocking.cause not in left_out)
        return self._known[key]

    def _found(self, scope: Scope, depth: int) -> Iterator[Found]:
        places = places_of(scope.nodes)
        told: set[ast.AST] = set()
        for node in scope.nodes:
            found: Iterable[Found] = ()
            if isinstance(node, ast.Call) and node not in places.awaited:
                found = self._of_call(node, scope, places, depth)
            elif isinstance(node, ast.With):
                found = self._held_while_waiting(node, scope)
            for each in found:
                if not self._comes_from(node, scope, told):
                    told.add(node)
                    yield each

    def _of_call(self, call: ast.Call, scope: Scope, places: Places, depth: int) -> Iterator[Found]:
        value = self._reader.value(call.func, scope)
        if isinstance(value, Named):
            blocking = blocking_call(value.name)
            if blocking is not None and self._really_blocks(blocking.name, call, scope):
                if value.name in _LAZY and call not in places.consumed:
                    return
                is_kept = call in places.kept or is_bound_to_a_thread(value.name)
                yield Found(blocking=blocking, node=call, is_kept=is_kept)
            if value.name in _CALLS_ITS_ARGUMENT:
                yield from self._of_arguments(call, scope, depth)
        elif isinstance(value, OwnClass):
            made = self._reader.attribute_of_class(value, "__init__")
            yield from self._of_helper(call, made, depth, places)
        else:
            yield from self._of_helper(call, value, depth, places)

    def _of_helper(
        self, node: ast.expr, value: Value, depth: int, places: Places | None = None
    ) -> Iterator[Found]:
        """Yield what blocks in a function of the project that is called here."""
        if not isinstance(value, Function) or isinstance(value.node, ast.AsyncFunctionDef):
            return
        if isinstance(value.node, ast.Lambda):
            found = self.blocking_in(value, depth)
            yield from (replace(each, node=node) for each in found)
            return
        decorators = {_last_name(each) for each in value.node.decorator_list}
        runs = not _is_generator(value) or places is None or node in places.consumed
        if depth and runs and decorators <= _HARMLESS:
            for each in self.blocking_in(value, depth - 1)[:1]:
                helper = _helper(value, each)
                yield replace(each, node=node, helpers=(helper, *each.helpers), is_kept=False)

    def _of_arguments(self, call: ast.Call, scope: Scope, depth: int) -> Iterator[Found]:
        """Yield what blocks in the functions that `map`, `sorted` and their like call."""
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            value = self._reader.value(argument, scope)
            if isinstance(value, Named) and not isinstance(argument, ast.Call):
                blocking = blocking_call(value.name)
                if blocking is not None:
                    yield Found(blocking=blocking, node=argument, is_kept=True)
            elif not isinstance(argument, ast.Call):
                yield from self._of_helper(argument, value, depth)

    def _held_while_waiting(self, statement: ast.With, scope: Scope) -> Iterator[Found]:
        """Yield a lock of threads that is held across an `await`: whoever wants it stops all."""
        for item in statement.items:
            value = self._reader.value(item.context_expr, scope)
            if isinstance(value, Made) and value.type in ("threading.Lock", "threading.RLock"):
                blocking = blocking_call(f"{value.type}.acquire")
                waits = any(
                    isinstance(node, ast.Await)
                    for each in statement.body
                    for node in ast.walk(each)
                )
                if blocking is not None and waits:
                    yield Found(blocking=blocking, node=item.context_expr)

    def _comes_from(self, node: ast.AST, scope: Scope, told: set[ast.AST]) -> bool:
        """Return whether it is done with something whose making has been told already."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return False
        receiver = self._reader.value(node.func.value, scope)
        return isinstance(receiver, Made) and receiver.origin in told

    def _really_blocks(self, name: str, call: ast.Call, scope: Scope) -> bool:
        """Return whether a call is one of those that block, and not of the few that do not."""
        if name in _OF_FUTURES:  # one from elsewhere may be done, as after `asyncio.wait`
            receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
            is_local = isinstance(receiver, ast.Name) and receiver.id in scope.bindings
            return is_local or isinstance(receiver, ast.Call)
        if name.startswith("socket.socket.") and _is_non_blocking(call, scope):
            return False
        first = self._reader.value(call.args[0], scope) if call.args else None
        is_buffer = isinstance(first, Made) and first.type in _BUFFERS
        return not is_buffer and not _never_waits(call)

    def _runs_at_the_start(self, function: Function) -> bool:
        """Return whether nothing is answered while it runs: a resource, a lifespan."""
        node = function.node
        if not isinstance(node, ast.AsyncFunctionDef):
            return False
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            value = self._reader.value(called, function.scope)
            if isinstance(value, Named) and value.name in _STARTS:
                return True
        return node.name == "lifespan"


def _helper(function: Function, found: Found) -> Helper:
    node = function.node
    name = "" if isinstance(node, ast.Lambda) else node.name
    owner = function.owner.node.name if function.owner else ""
    return Helper(
        name=owner if name == "__init__" else f"{owner}.{name}".lstrip("."),
        file=function.scope.file,
        line=found.node.lineno,
        is_generator=_is_generator(function),
    )


def _is_generator(function: Function) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in scope_of(function).nodes)


def _last_name(decorator: ast.expr) -> str:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")


def _never_waits(call: ast.Call) -> bool:
    """Return whether a call says that it gives up at once: `acquire(blocking=False)`."""
    said = {keyword.arg: keyword.value for keyword in call.keywords}
    waits = [said.get(name) for name in ("blocking", "block", "timeout")]
    if call.args and isinstance(call.func, ast.Attribute) and call.func.attr in ("acquire", "get"):
        waits.append(call.args[0])
    return any(isinstance(each, ast.Constant) and each.value in (False, 0) for each in waits)


def _is_non_blocking(call: ast.Call, scope: Scope) -> bool:
    """Return whether the function says of a socket that it does not block, or is ready for that."""
    receiver = ast.unparse(call.func).rpartition(".")[0]
    said = {f"{receiver}.setblocking(False)", f"{receiver}.settimeout(0)"}
    return any(
        ast.unparse(node) in said
        if isinstance(node, ast.Call)
        else isinstance(node, ast.ExceptHandler)
        and node.type is not None
        and "BlockingIOError" in ast.unparse(node.type)
        for node in scope.nodes
    )
