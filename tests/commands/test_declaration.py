"""A command is a value; what it lacks is said when it is asked for."""

from __future__ import annotations

import pytest

from fastforge.commands import Context, command
from fastforge.exceptions import ComponentError


def test_the_decorator_returns_a_value() -> None:
    @command
    async def one() -> None: ...

    @command(starts="nothing")
    def two() -> None: ...

    assert (one.starts, one.is_async) == ("resources", True)
    assert (two.starts, two.is_async) == ("nothing", False)


def test_a_command_with_resources_has_to_be_async() -> None:
    with pytest.raises(ComponentError, match=r"test_declaration.py:\d+: the command 'wrong'"):

        @command
        def wrong() -> None: ...


def test_a_context_says_what_to_declare_when_something_is_absent() -> None:
    with pytest.raises(ComponentError, match="this command has no container") as caught:
        _ = Context().container
    assert caught.value.hint == 'declare it with @command(starts="resources")'
    with pytest.raises(ComponentError, match="this command has no project"):
        _ = Context().project
