"""A handler that is marked stands outside `atomic`; the mark is refused where it means nothing."""

from __future__ import annotations

from typing import Any

import pytest

from fastforge.contrib.db import atomic, non_atomic
from fastforge.contrib.db.errors import TransactionMisuse
from fastforge.contrib.db.sessions.handlers import is_non_atomic


@non_atomic
async def marked() -> None: ...


async def plain() -> None: ...


def test_a_mark_is_found_also_below_another_decorator() -> None:
    assert is_non_atomic(marked)
    assert is_non_atomic(atomic(marked))
    assert not is_non_atomic(plain)
    assert not is_non_atomic(None)


@pytest.mark.parametrize("decorated", [7, "text", dict, "a".upper], ids=lambda each: repr(each)[:7])
def test_what_handles_no_request_cannot_be_marked(decorated: Any) -> None:
    with pytest.raises(TransactionMisuse, match=r"db\.E032.*without brackets"):
        non_atomic(decorated)
