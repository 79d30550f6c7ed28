"""A mark that cannot be kept is refused where it is given, and not found missing by a check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fastforge.exceptions import ComponentError, Location
from fastforge.web import policy, public


class Guard:
    async def check(self) -> None: ...


@pytest.mark.parametrize("mark", [policy, public])
def test_what_keeps_no_mark_is_refused_with_its_place(mark: Callable[[Any], Any]) -> None:
    with pytest.raises(ComponentError, match=f"@{mark.__name__} is given <bound method") as caught:
        mark(Guard().check)
    assert caught.value.code == "web.E021"
    assert isinstance(caught.value.where, Location)
    assert caught.value.where.file == __file__
