"""Nesting: what a block of `atomic` is where it stands, and how it begins and ends there."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Generic, Protocol, TypeVar, get_args

from sqlalchemy import Engine, orm

from ...._utils import did_you_mean
from ..engine import Isolation
from ..errors import TransactionMisuse
from .blocks import held
from .places import Place, entered, left
from .shield import shielded
from .transactional import TransactionalSession

__all__ = ["PLAIN", "AtomicBlock", "BlockOptions"]

S = TypeVar("S", bound=TransactionalSession)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockOptions:
    """What a block asks for.

    Attributes:
        durable: What it wrote is committed at its end, so it must not stand in another block.
        savepoint: Whether it is undone alone when it fails inside another block.
        isolation: How much its transaction sees of others.
        read_only: Whether its transaction refuses to write.
        repeated: Whether it is run again when it fails.
    """

    durable: bool = False
    savepoint: bool = True
    isolation: Isolation | None = None
    read_only: bool = False
    repeated: bool = False

    @property
    def is_outermost(self) -> bool:
        """Whether it makes no sense inside another block."""
        return bool(self.durable or self.isolation or self.read_only or self.repeated)


PLAIN: Final = BlockOptions()
ELSEWHERE: Final = "open it outside of `pinned`, or leave read_only out"


class _Kind(Protocol):
    """How one block begins and ends."""

    async def begin(self) -> None: ...

    async def end(self, error: BaseException | None) -> None: ...


class AtomicBlock(AbstractAsyncContextManager[S], Generic[S]):
    """One block of `atomic`; what it is, is decided when it is entered.

    Args:
        session: Whose it is.
        options: What it asks for.
    """

    __slots__ = ("_around", "_kind", "_options", "_place", "_session")

    def __init__(self, session: S, options: BlockOptions = PLAIN) -> None:
        self._session = session
        self._options = options
        self._kind: _Kind | None = None
        self._place: Place
        self._around: Place | None

    async def __aenter__(self) -> S:
        guarded = self._session.guarded
        guarded.refuse_closed()
        guarded.refuse_strangers()
        if self._kind is not None:
            raise guarded.misuse("a block that was entered before", "write `db.atomic()` anew")
        self._kind = self._choose()
        self._around, self._place = guarded.place, entered()
        guarded.place = self._place
        held.add(self)
        try:
            await self._kind.begin()
        except BaseException:
            self._left()
            raise
        return self._session

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._kind is not None
        try:
            if not self._session.guarded.closed:  # else its unit of work has ended all of it
                await self._kind.end(error)
        finally:
            self._left()

    def _choose(self) -> _Kind:
        session, options = self._session, self._options
        if not session.in_atomic:
            return _Transaction(session, options)
        if options.is_outermost:
            if session.untouched:
                return _OwnTransaction(session, options)
            raise _refused_inside(options)
        return _Savepoint(session) if options.savepoint else _Joined(session)

    def _left(self) -> None:
        held.discard(self)
        self._session.guarded.place = self._around
        left(self._place)


class _Transaction:
    """An outermost block."""

    def __init__(self, session: TransactionalSession, options: BlockOptions) -> None:
        self._session = session
        self._guarded = session.guarded
        self._repeated = options.repeated
        self._view: Engine | None = None
        if options.isolation is not None or options.read_only:
            _refuse_unknown(options.isolation)
            if options.read_only and self._guarded.pin is not None:
                raise self._guarded.misuse("atomic(read_only=True) inside pinned()", ELSEWHERE)
            self._view = self._guarded.engines.transactions(options.isolation, options.read_only)

    async def begin(self) -> None:
        self._guarded.enter(self._view)
        self._guarded.repeated = self._repeated
        self._guarded.stale = bool(self._guarded.identity_map)
        try:
            if self._guarded.stale:
                await self._session.run_sync(lambda _: self._guarded.refresh_if_stale())
        except BaseException as error:
            await self.end(error)
            raise

    async def end(self, error: BaseException | None) -> None:
        try:
            await shielded(self._session.leave(commit=error is None))
        finally:
            self._guarded.repeated = False


class _OwnTransaction(_Transaction):
    """A block that stands first in the transaction of a unit of work, and takes its place."""

    async def begin(self) -> None:
        self._guarded.leave()
        await super().begin()

    async def end(self, error: BaseException | None) -> None:
        try:
            await super().end(error)
        finally:
            if not self._guarded.closed:
                self._session.open()
                self._guarded.stale = bool(self._guarded.identity_map)


class _Savepoint:
    """A block in another one; it is undone alone."""

    def __init__(self, session: TransactionalSession) -> None:
        self._session = session
        self._guarded = session.guarded
        self._waiting_before = len(session.waiting)
        self._spoiled_before = self._guarded.spoiled
        self._savepoint: orm.SessionTransaction

    async def begin(self) -> None:
        self._savepoint = await self._session.run_sync(lambda _: self._guarded.open_savepoint())

    async def end(self, error: BaseException | None) -> None:
        try:
            if error is not None:
                await self._undo()
                return
            try:
                await self._session.run_sync(lambda _: self._release())
            except BaseException:
                await self._undo()
                raise
        finally:
            self._guarded.leave()

    def _release(self) -> None:
        self._guarded.release(self._savepoint, spoiled=self._guarded.spoiled > self._spoiled_before)

    async def _undo(self) -> None:
        del self._session.waiting[self._waiting_before :]
        self._guarded.spoiled = self._spoiled_before
        await shielded(self._undo_it())

    async def _undo_it(self) -> None:
        await self._session.idle()
        await self._session.run_sync(lambda _: self._guarded.undo(self._savepoint))


class _Joined:
    """A block that is a part of the one around: if it fails, that one cannot be kept either."""

    def __init__(self, session: TransactionalSession) -> None:
        self._guarded = session.guarded

    async def begin(self) -> None:
        self._guarded.depth += 1

    async def end(self, error: BaseException | None) -> None:
        self._guarded.leave()
        if error is not None:
            self._guarded.spoiled = True


def _refused_inside(options: BlockOptions) -> TransactionMisuse:
    if options.repeated:
        return TransactionMisuse(
            "a function with @atomic(retries=...) was called inside a transaction that has begun,"
            " of which a part cannot be run again",
            code="db.E033",
            hint="call it first in the request, or outside of `atomic`; or let the function around"
            " it have the retries",
        )
    if options.durable:
        return TransactionMisuse(
            "atomic(durable=True) stands inside another transaction, which may still roll back",
            code="db.E034",
            hint="open it outside of the other block; in a request mark the handler @non_atomic",
        )
    wanted: Any = {"isolation": options.isolation, "read_only": options.read_only}
    shown = ", ".join(f"{name}={value!r}" for name, value in wanted.items() if value)
    return TransactionMisuse(
        f"atomic({shown}) stands inside a transaction that has begun in another way",
        code="db.E035",
        hint="give it to the outermost block, before its first statement",
    )


def _refuse_unknown(isolation: str | None) -> None:
    known = get_args(Isolation)
    if isolation is not None and isolation not in known:
        raise TransactionMisuse(
            f"atomic(isolation={isolation!r}): there is no such isolation",
            code="db.E035",
            hint=did_you_mean(str(isolation).lower().replace("_", " "), known)
            or f"it has {', '.join(map(repr, known))}",
        )
