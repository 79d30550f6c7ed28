"""Commands in process, on a project that need not be the one that the settings say."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge import Project
from fastforge.exceptions import CommandError
from fastforge.test import Result, run_command
from tests.folder import isolated


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Project]:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]\nDEBUG = False\n',
                "shop/orders/commands/say.py": '''
                    """Say whether DEBUG is on."""
                    import logging
                    import sys
                    from typing import Annotated

                    from fastforge import injected
                    from fastforge.commands import command
                    from fastforge.lifecycle import setting

                    @command
                    async def say(
                        how: str, *, debug: Annotated[bool, setting("DEBUG")] = injected
                    ) -> int:
                        logging.getLogger().addHandler(logging.StreamHandler())
                        print(how, debug)
                        print("mind", file=sys.stderr)
                        if how == "leave":
                            sys.exit(4)
                        if how == "shout":
                            sys.exit("gone")
                        return 7
                    ''',
            }
        )
        yield folder.load()


def test_it_gives_the_exit_code_and_what_was_written(
    shop: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    handlers = list(logging.getLogger().handlers)
    streams = sys.stdout, sys.stderr
    debugging = shop.overriding(settings={"DEBUG": True})
    assert run_command(debugging, "say", "it") == Result(
        exit_code=7, output="it True\n", error="mind\n"
    )
    assert run_command(shop, "say", "it").output == "it False\n"
    assert run_command(shop, "--traceback", "say", "leave").exit_code == 4
    assert not os.environ.get("FASTFORGE_TRACEBACK")
    assert logging.getLogger().handlers == handlers
    assert (sys.stdout, sys.stderr) == streams
    assert capsys.readouterr() == ("", "")


def test_a_mistake_is_the_line_that_a_terminal_shows(shop: Project) -> None:
    result = run_command(shop, "sya")
    assert result.exit_code == 2
    assert "no command 'sya'" in result.error
    assert "did you mean 'say'?" in result.error
    assert run_command(shop, "say").exit_code == 2


async def test_an_async_test_may_call_it(shop: Project) -> None:
    assert asyncio.get_running_loop().is_running()
    assert run_command(shop, "say", "it").exit_code == 7
    assert "say" in run_command(shop, "--help").output


def test_what_a_command_says_as_it_exits_is_its_error(shop: Project) -> None:
    result = run_command(shop, "say", "shout")
    assert (result.exit_code, result.error) == (1, "mind\ngone\n")


@pytest.mark.parametrize("name", ["dbshell", "runserver", "shell", "test"])
def test_a_command_that_would_end_the_tests_is_refused(shop: Project, name: str) -> None:
    with pytest.raises(CommandError, match=rf"\[test.E003\] `manage {name}` needs a process"):
        run_command(shop, name)


def test_its_help_is_given(shop: Project) -> None:
    assert "Usage: manage test" in run_command(shop, "test", "--help").output
