"""Atomic: `atomic` where no session is at hand, as a block and above a function."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import partial, wraps
from inspect import iscoroutinefunction
from types import TracebackType
from typing import TYPE_CHECKING, Any, Never, ParamSpec, TypeVar, overload

from starlette.responses import Response

from ....exceptions import Location
from ..engine import Isolation
from ..errors import TransactionMisuse
from ..resources import DEFAULT
from .callbacks import Callback
from .nesting import AtomicBlock, BlockOptions
from .refusals import refuse_argument
from .retrying import run_again
from .session import Session
from .unit import required_session

__all__ = ["Atomic", "AtomicFunction", "atomic", "on_commit"]

P = ParamSpec("P")
R = TypeVar("R")


class Atomic(AbstractAsyncContextManager[Session]):
    """What `atomic(...)` gives: a block, or a decorator that puts a function into one."""

    __slots__ = ("_block", "_name", "_options")

    def __init__(self, name: str, options: BlockOptions) -> None:
        self._name = name
        self._options = options
        self._block: AtomicBlock[Session] | None = None

    async def __aenter__(self) -> Session:
        db = required_session(self._name)
        if self._block is not None:
            raise db.guarded.misuse("a block that was entered before", "write `atomic()` anew")
        self._block = AtomicBlock(db, self._options)
        return await self._block.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._block is not None
        await self._block.__aexit__(kind, error, traceback)

    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> Callable[P, Coroutine[Any, Any, R]]:
        """Let all of a function run in one block."""
        _refuse_no_function(function)
        name, options = self._name, self._options

        @wraps(function)
        async def in_block(*args: P.args, **kwargs: P.kwargs) -> R:
            return await _undone_when_refused(
                partial(_run, name, options), partial(function, *args, **kwargs)
            )

        return in_block


class AtomicFunction:
    """What `atomic(retries=...)` gives: a decorator alone, since a block cannot be run again."""

    __slots__ = ("_name", "_options", "_retries")

    def __init__(self, name: str, options: BlockOptions, retries: int) -> None:
        self._name = name
        self._options = options
        self._retries = retries

    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> Callable[P, Coroutine[Any, Any, R]]:
        """Run a function in a transaction of its own, and again when that collides."""
        _refuse_no_function(function)
        name, options, retries = self._name, self._options, self._retries

        @wraps(function)
        async def in_attempts(*args: P.args, **kwargs: P.kwargs) -> R:
            return await _undone_when_refused(
                partial(_run_again, name, options, retries), partial(function, *args, **kwargs)
            )

        return in_attempts

    if not TYPE_CHECKING:  # a type checker says it without being told

        async def __aenter__(self) -> Never:
            raise refuse_argument(("retries",))

        async def __aexit__(self, *_: object) -> None: ...


@overload
def atomic(
    function: Callable[P, Coroutine[Any, Any, R]], /
) -> Callable[P, Coroutine[Any, Any, R]]: ...
@overload
def atomic(
    *,
    retries: int,
    using: str = ...,
    isolation: Isolation | None = ...,
    read_only: bool = ...,
) -> AtomicFunction: ...
@overload
def atomic(
    *,
    using: str = ...,
    durable: bool = ...,
    savepoint: bool = ...,
    isolation: Isolation | None = ...,
    read_only: bool = ...,
) -> Atomic: ...
def atomic(
    function: Any = None,
    /,
    *,
    using: str = DEFAULT,
    durable: bool = False,
    savepoint: bool = True,
    isolation: Isolation | None = None,
    read_only: bool = False,
    retries: int | None = None,
    **unknown: Any,
) -> Any:
    """Run a block, or a function, in a transaction of the current session or a savepoint of it.

    ```python
    async with atomic() as db:
        db.add(Order(total=10))

    @atomic
    async def settle(order_id: int) -> None: ...

    @atomic(retries=3, isolation="serializable")
    async def transfer(amount: int, source_id: int, target_id: int) -> None: ...
    ```

    Surprises: a function with `retries` has a transaction of its own. Called first in a request
    it takes the place of the request's, and is committed when it returns. Of an attempt that
    failed no row, job, callback or object is left; what else it has done is done again. A
    `Response` of status 400 or more that a function returns rolls it back.

    Args:
        using: The database, by its name in DATABASES.
        durable: As in `Session.atomic`.
        savepoint: As in `Session.atomic`.
        isolation: As in `Session.atomic`.
        read_only: As in `Session.atomic`.
        retries: How often a function is run again after a serialization failure or a deadlock,
            also one at its COMMIT. Between the attempts are 10 to 50 ms, twice as long each time.

    Raises:
        NoUnitOfWork: Nothing here gives a session.
        TransactionMisuse: It cannot stand here, or decorates no `async def`.
    """
    if unknown:
        raise refuse_argument(unknown)
    options = BlockOptions(
        durable=durable,
        savepoint=savepoint,
        isolation=isolation,
        read_only=read_only,
        repeated=retries is not None,
    )
    if retries is not None:
        return AtomicFunction(using, options, _checked(retries))
    block = Atomic(using, options)
    return block if function is None else block(function)


def on_commit(callback: Callback, *, robust: bool = True, using: str = DEFAULT) -> None:
    """Call a function once the transaction that runs here has committed.

    Args:
        callback: The function, plain or async.
        robust: Whether callbacks after it run also when it fails.
        using: The database, by its name in DATABASES.

    Raises:
        TransactionMisuse: There is no transaction to wait for.
        NoUnitOfWork: Nothing here gives a session.
    """
    required_session(using).on_commit(callback, robust=robust)


async def _run(name: str, options: BlockOptions, call: Callable[[], Coroutine[Any, Any, R]]) -> R:
    async with AtomicBlock(required_session(name), options):
        return await call()


async def _run_again(
    name: str, options: BlockOptions, retries: int, call: Callable[[], Coroutine[Any, Any, R]]
) -> R:
    return await run_again(required_session(name), call, options, retries=retries)


class _Refused(Exception):
    """Carries an answer that refuses out of the block that it rolls back."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer


async def _undone_when_refused(
    run: Callable[[Callable[[], Coroutine[Any, Any, R]]], Coroutine[Any, Any, R]],
    function: Callable[[], Coroutine[Any, Any, R]],
) -> R:
    """Run a function so that it is rolled back when it returns an answer of status 400 or more."""

    async def call() -> R:
        result = await function()
        if isinstance(result, Response) and result.status_code >= 400:
            raise _Refused(result)
        return result

    try:
        return await run(call)
    except _Refused as refused:
        answer: R = refused.answer
        return answer


def _checked(retries: Any) -> int:
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        raise TransactionMisuse(
            f"atomic(retries={retries!r}) is no number of attempts",
            code="db.E032",
            hint="write @atomic(retries=3)",
        )
    return retries


def _refuse_no_function(function: Any) -> None:
    if not iscoroutinefunction(function):
        raise TransactionMisuse(
            f"@atomic decorates {function!r}, which is no `async def` without a yield",
            code="db.E032",
            hint="let it stand right above such a function, below @task or @router.post(...)",
            where=Location.of(function),
        )
