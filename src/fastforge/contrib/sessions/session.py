"""WebSession: what is kept for one browser between its requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

import anyio

from ..db import Session as Db
from ..db.sessions.unit import required_session
from .changes import MISSING, Changes
from .errors import SessionTooLate
from .events import UNREADABLE
from .keeper import Keeper
from .owners import owner_of
from .secrets import USER
from .store import Record, SessionStore
from .values import Unfitting, dumped, loaded

if TYPE_CHECKING:
    from ..auth import AbstractUser

__all__ = ["WebSession"]

T = TypeVar("T")
D = TypeVar("D")


class WebSession:
    """What `Session` gives: values by keys, kept on the server for one browser.

    ```python
    @router.post("/cart/{product_id}")
    async def add(product_id: int, session: Session) -> int:
        cart = await session.get("cart", type=list[int], default=[])
        session.set("cart", [*cart, product_id])
        return len(cart) + 1
    ```

    It is read when something is asked of it, and written with the transaction of the request, just
    before the answer: an answer of status 400 or more, an exception and a failed commit leave it as
    it was. A request that only has it as a parameter asks the database nothing. Of requests at the
    same time each writes the keys that it has changed.

    Surprises: a list that was read is the caller's own: set it again after an `append`. Who is
    logged in tells `CurrentIdentity`. A stream changes nothing after its first byte.

    Args:
        keeper: The rules.
        store: Where it is kept.
        secret: What the cookie says, if it is one of ours; else empty.

    Attributes:
        changes: What is to be written.
    """

    __slots__ = ("_is_loaded", "_lock", "_over", "_record", "changes", "keeper", "secret", "store")

    def __init__(self, keeper: Keeper, store: SessionStore, secret: str) -> None:
        self.keeper = keeper
        self.store = store
        self.secret = secret
        self.changes = Changes()
        self._is_loaded = not secret
        self._record: Record | None = None
        self._lock = anyio.Lock()
        self._over = ""

    @overload
    async def get(self, key: str, *, type: type[T], default: D) -> T | D: ...
    @overload
    async def get(self, key: str, *, type: type[T]) -> T | None: ...
    @overload
    async def get(self, key: str, *, type: Any = ..., default: Any = ...) -> Any: ...
    async def get(self, key: str, *, type: Any = Any, default: Any = None) -> Any:
        """Return what is kept under a key, or the default.

        ```python
        since = await session.get("since", type=datetime)
        ```

        Surprises: what does not fit the type any more, since an older release has written it, is
        not there; one line in the log tells.

        Args:
            key: The key.
            type: What the value has to be: anything that pydantic can validate. Without one it is
                as JSON has it.
            default: What stands for nothing.
        """
        value = self.changes.find(key)
        if value is MISSING and not self.changes.hides(key):
            record = await self.record()
            value = MISSING if record is None else record.data.get(key, MISSING)
        try:
            return default if value is MISSING else loaded(value, type)
        except Unfitting:
            UNREADABLE.tell(key=key)
            return default

    def set(self, key: str, value: object, *, type: Any = Any) -> None:
        """Keep a value; a browser that has no session yet is given one with the answer.

        ```python
        session.set("language", "de")
        ```

        Args:
            key: The key.
            value: Anything that can be written as JSON; None too.
            type: How it is written, where that is not its own type.

        Raises:
            SessionError: It cannot be written as JSON, or does not fit the type.
            SessionTooLate: Nothing would save it.
        """
        self._refuse_late()
        self.changes.set(key, dumped(key, value, type))

    @overload
    async def pop(self, key: str, *, type: type[T], default: D) -> T | D: ...
    @overload
    async def pop(self, key: str, *, type: type[T]) -> T | None: ...
    @overload
    async def pop(self, key: str, *, type: Any = ..., default: Any = ...) -> Any: ...
    async def pop(self, key: str, *, type: Any = Any, default: Any = None) -> Any:
        """Return what is kept under a key, as `get` does, and delete it: for what is said once."""
        value = await self.get(key, type=type, default=MISSING)
        if value is MISSING:
            return default
        self.delete(key)
        return value

    async def keys(self) -> frozenset[str]:
        """Return the keys under which something is kept."""
        record = await self.record()
        return frozenset(self.changes.merged({} if record is None else record.data))

    def delete(self, *keys: str) -> None:
        """Forget what is kept under keys, if there is anything.

        Raises:
            SessionTooLate: Nothing would save it.
        """
        self._refuse_late()
        for key in keys:
            self.changes.delete(key)

    def clear(self) -> None:
        """Forget all that is kept; whoever is logged in stays so.

        Raises:
            SessionTooLate: Nothing would save it.
        """
        self._refuse_late()
        self.changes.clear()

    def rotate(self) -> None:
        """Let the cookie say something else from now on: what it says now is worth nothing then.

        `log_in` does it. Call it where somebody may more than before, after a second factor, say:
        who knew the cookie until then is left behind.

        Raises:
            SessionTooLate: Nothing would save it.
        """
        self._refuse_late()
        for_user = bool(self.changes.user) or self.current_secret.startswith(USER)
        self.changes.secret = self.keeper.secrets.new(for_user=for_user)

    # --- for log_in, log_out and whoever saves it ---

    async def record(self, db: Db | None = None) -> Record | None:
        """Return what is kept; None where nothing is, or nothing that counts any more.

        Args:
            db: What is asked; the session of the request unless given.
        """
        async with self._lock:
            if not self._is_loaded:
                asked = db or required_session()
                record = await self.store.load(asked, self.keeper.secrets.hashes(self.secret))
                self._record = await self._counting(asked, record)
                self._is_loaded = True
        return self._record

    @property
    def known(self) -> Record | None:
        """What was read; None where nothing was, or there is nothing."""
        return self._record

    async def _counting(self, db: Db, record: Record | None) -> Record | None:
        if record is None or not self.keeper.is_alive(record):
            return None
        if record.user_id is not None and await owner_of(db, record) is None:
            return None  # its user is not let in any more, and so is nobody with this cookie
        return record

    async def become(self, user: AbstractUser) -> None:
        """Be the session of a user from now on, under another secret."""
        self._refuse_late()
        record = await self.record()
        self.changes.secret = self.keeper.secrets.new(for_user=True)
        if record is not None and record.user_id not in (None, str(user.id)):
            self.changes.clear()  # what somebody else has left behind
        self.changes.user = user

    def end(self) -> None:
        """Be nobody's session from now on, and hold nothing."""
        self._refuse_late()
        self.changes = Changes(cleared=True, ended=True)

    @property
    def current_secret(self) -> str:
        """What the cookie will say after the answer."""
        return self.changes.secret or ("" if self.changes.ended else self.secret)

    def close(self, why: str) -> None:
        """Refuse further changes."""
        self._over = why

    def _refuse_late(self) -> None:
        if self._over:
            raise SessionTooLate(
                f"the session is changed where nothing saves it: {self._over}",
                code="sessions.E013",
                hint="change it before, in the handler of a request",
            )

    def __repr__(self) -> str:
        return f"<WebSession{' with changes' if self.changes else ''}>"
