"""Counting: how many statements a block of a test runs, itself or through the app under test."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine, event

from .shown import is_control

__all__ = ["QueryCount", "assert_num_queries"]


def assert_num_queries(expected: int, /) -> QueryCount:
    """Let a block fail unless it runs so many statements.

    What begins and ends transactions and savepoints does not count. The block may call the app
    under test: every engine of this process is looked at, in whichever thread or task it is used.

    ```python
    async def test_a_list_is_one_query(client: Client) -> None:
        with assert_num_queries(1):
            await client.get("/orders")
    ```

    Surprises: `async with` does the same. A block that raises is not judged.

    Args:
        expected: How many.

    Raises:
        AssertionError: At the end of the block, with the statements that ran.
    """
    return QueryCount(expected)


class QueryCount:
    """The statements of a block.

    Attributes:
        statements: Their texts so far, without parameters.
    """

    def __init__(self, expected: int) -> None:
        self.statements: list[str] = []
        self._expected = expected

    def __enter__(self) -> Self:
        event.listen(Engine, "before_cursor_execute", self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        event.remove(Engine, "before_cursor_execute", self._note)
        if kind is None and len(self.statements) != self._expected:
            raise AssertionError(self._failure())

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if not is_control(statement):
            self.statements.append(" ".join(statement.split()))

    def _failure(self) -> str:
        ran = len(self.statements)
        lines = (f"  {number}. {text}" for number, text in enumerate(self.statements, 1))
        return "\n".join(
            [f"{self._expected} queries expected, {ran} ran{':' if ran else ''}", *lines]
        )
