"""What cannot start says so once, and the server ends."""

from __future__ import annotations

import pytest

from .conftest import Shop

RESOURCE = """
from collections.abc import AsyncIterator

from fastforge import resource


@resource
async def desk() -> AsyncIterator[None]:
    raise OSError("on fire")
    yield
"""


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("shop/notes/resources.py", RESOURCE, "[lifecycle.E004]"),
        ("shop/notes/routes.py", "import nowhere\n", "No module named 'nowhere'"),
    ],
)
def test_a_failed_start_is_told_once_and_ends_all_with_code_3(
    site: Shop, file: str, text: str, line: str
) -> None:
    site.settings("start_deadline_s=0")
    site.folder.write({file: text})
    with site.start("--workers", "3") as server:
        assert server.wait() == 3
        assert line in server.output
        assert server.output.count("\n") == 1, server.output


def test_a_process_that_ends_without_a_word_ends_all_with_one_of_the_manager(site: Shop) -> None:
    site.folder.write({"shop/notes/routes.py": "import os\nos._exit(7)\n"})
    with site.start("--workers", "2") as server:
        assert server.wait() == 3
        assert "ended with code 7 before it served: it cannot start" in server.output
        assert server.output.count("\n") == 1, server.output


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--workers", "0"], "[management.E013] --workers is 0; at least one process has to serve"),
        (["--max-requests", "0"], "[management.E013] --max-requests is 0; a process has to answer"),
        (["--workers", "2", "--reload"], "[management.E027] --reload is for one process"),
        (["--production", "--reload"], "[management.E027] --reload is for one process"),
    ],
)
def test_options_that_do_not_fit_are_refused(site: Shop, options: list[str], line: str) -> None:
    with site.start(*options) as server:
        assert server.wait() == 2
        assert line in server.output
        assert server.output.count("\n") == 1


def test_options_for_gunicorn_that_it_does_not_take_are_one_line_with_the_variable(
    site: Shop,
) -> None:
    for given, why in (
        ("--timeot 5", "gunicorn has no option '--timeot'"),
        ("--timeout x", "argument -t/--timeout: invalid int value: 'x'"),
        ("--pid 'x", "No closing quotation"),
    ):
        with site.start("--workers", "2", env={"GUNICORN_CMD_ARGS": given}) as server:
            assert server.wait() == 2
            (line,) = server.output.splitlines()
            assert line.startswith(
                f"error: [server.E012] GUNICORN_CMD_ARGS cannot be read: {why}; "
            )
