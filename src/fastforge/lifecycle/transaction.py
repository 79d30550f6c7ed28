"""Transaction: how what is kept outside of a database waits for the commit of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..components import Registry

__all__ = ["Transaction", "Transactions", "transaction_here"]


class Transaction(Protocol):
    """A transaction that has not ended. The same object as long as it goes on."""

    def on_commit(self, callback: Callable[[], object], /) -> None:
        """Call a function once it has committed; forget the function when it rolls back."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Transactions:
    """Tells of the transactions that an app begins, in its `transactions.py`.

    Who keeps something elsewhere, such as jobs in memory, does so then when they commit.

    ```python
    LEDGER = Transactions(name="ledger", current=ledger_transaction_here)
    ```

    Args:
        name: Unique in the project.
        current: Returns the transaction that what runs here stands in; None outside of any.
    """

    name: str
    current: Callable[[], Transaction | None]


def transaction_here(registry: Registry) -> Transaction | None:
    """Return the transaction that what runs here stands in: that of the first app that has one."""
    for each in registry.values("transactions"):
        found: Transaction | None = each.current()
        if found is not None:
            return found
    return None
