"""A command runs with what it asked for, closes it whatever happens, and ends with its code."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.folder import ProjectFolder
from tests.processes import clean_environment, start

from .conftest import Shell

RESOURCES = """
    from collections.abc import AsyncIterator
    from typing import Annotated
    from fastforge import provide, resource

    @resource
    async def desk() -> AsyncIterator[str]:
        print("desk open", flush=True)
        yield "oak"
        print("desk closed", flush=True)

    Desk = Annotated[str, provide(desk)]
    """

SCOPES = """
    from collections.abc import AsyncIterator
    from fastforge.lifecycle import scope

    @scope
    async def around() -> AsyncIterator[None]:
        print("scope in")
        try:
            yield
        except RuntimeError as error:
            print("scope saw", error)
            raise
        print("scope out")
    """


def command(
    body: str, head: str = "@command\nasync def go(desk: Desk = injected) -> object:"
) -> str:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return (
        '"""Go."""\n'
        "import asyncio, sys\n"
        "from fastforge import injected\n"
        "from fastforge.commands import Context, command\n"
        "from fastforge.exceptions import *\n"
        "from shop.notes.resources import Desk\n"
        f"{head}\n{lines}\n"
    )


@pytest.fixture
def notes(shop: ProjectFolder) -> ProjectFolder:
    shop.write({"shop/notes/resources.py": RESOURCES, "shop/notes/scopes.py": SCOPES})
    return shop


def test_what_it_asks_for_is_open_inside_the_scopes(notes: ProjectFolder, manage: Shell) -> None:
    notes.write({"shop/notes/commands/go.py": command("print(desk)")})
    result = manage("go")
    assert result.out.splitlines() == ["desk open", "scope in", "oak", "scope out", "desk closed"]
    assert (result.code, result.err) == (0, "")


def test_each_run_has_an_id_of_its_own(notes: ProjectFolder, manage: Shell) -> None:
    shown = "from fastforge.observability.context import request_id\nprint(request_id.get())"
    notes.write({"shop/notes/commands/go.py": command(shown)})
    ids = {line for _ in range(2) for line in manage("go").out.splitlines() if len(line) == 36}
    assert len(ids) == 2


def test_a_failure_reaches_the_scopes_and_everything_closes(
    notes: ProjectFolder, manage: Shell
) -> None:
    notes.write({"shop/notes/commands/go.py": command('raise RuntimeError("no ink\\nat all")')})
    result = manage("go")
    assert result.out.splitlines()[2:] == ["scope saw no ink", "at all", "desk closed"]
    assert result.err == (
        "error: [management.E010] shop/notes/commands/go.py:9: RuntimeError: no ink;"
        " --traceback shows all of it\n"
    )
    assert result.code == 1


def test_with_traceback_all_of_it_is_shown_without_passwords(
    notes: ProjectFolder, manage: Shell
) -> None:
    body = 'raise RuntimeError("postgresql://shop:s3cret@db/shop")'
    notes.write({"shop/notes/commands/go.py": command(body)})
    result = manage("--traceback", "go")
    assert "Traceback (most recent call last)" in result.err
    assert 'shop/notes/commands/go.py", line 9, in go' in result.err
    assert "s3cret" not in result.err.replace(body, "")


@pytest.mark.parametrize(
    ("raised", "code", "lines"),
    [
        (
            'CommandError("no such month", code="shop.E001", hint="1 to 12")',
            2,
            ["[shop.E001] no such month; 1 to 12"],
        ),
        (
            'StartError("no queue", code="shop.E002")',
            3,
            ["[shop.E002] shop/notes/commands/go.py:9: no queue"],
        ),
        (
            'ErrorGroup([CommandError("a", code="shop.E001"), StartError("b", code="shop.E002")])',
            3,
            ["[shop.E001] a", "[shop.E002] b"],
        ),
        (
            'ExceptionGroup("several", [CommandError("a", code="shop.E001"), KeyError("b")])',
            2,
            ["[shop.E001] a", "[management.E010] KeyError: 'b'; --traceback shows all of it"],
        ),
    ],
)
def test_what_it_raises_is_told_in_lines(
    raised: str, code: int, lines: list[str], notes: ProjectFolder, manage: Shell
) -> None:
    notes.write({"shop/notes/commands/go.py": command(f"raise {raised}")})
    result = manage("go")
    assert result.err.splitlines() == [f"error: {line}" for line in lines]
    assert result.code == code


@pytest.mark.parametrize(("value", "code"), [("None", 0), ("0", 0), ("1", 1), ("5", 5)])
def test_what_it_returns_is_the_exit_code(
    value: str, code: int, notes: ProjectFolder, manage: Shell
) -> None:
    notes.write({"shop/notes/commands/go.py": command(f"return {value}")})
    assert manage("go").code == code


@pytest.mark.parametrize("value", ["True", "'done'"])
def test_what_is_no_exit_code_is_refused(value: str, notes: ProjectFolder, manage: Shell) -> None:
    notes.write({"shop/notes/commands/go.py": command(f"return {value}")})
    result = manage("go")
    assert result.code == 2
    assert "[management.E008] shop/notes/commands/go.py:7: go returned" in result.err


@pytest.mark.parametrize("head", ["def go(context: Context):", "async def go(context: Context):"])
def test_a_command_may_start_the_project_alone(
    head: str, notes: ProjectFolder, manage: Shell
) -> None:
    body = "context.echo(context.project.name)\ncontext.container"
    head = f'@command(starts="project")\n{head}'
    notes.write({"shop/notes/commands/go.py": command(body, head)})
    result = manage("go")
    assert result.out == "shop\n"
    assert result.err == (
        "error: [components.E011] shop/notes/commands/go.py:10: this command has no container;"
        ' declare it with @command(starts="resources")\n'
    )


def test_a_resource_that_does_not_open_is_one_line_and_code_3(
    notes: ProjectFolder, manage: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTFORGE_ENV", "development")  # elsewhere it is tried for a while
    resources = RESOURCES.replace('yield "oak"', 'raise OSError("on fire"); yield "oak"')
    notes.write(
        {"shop/notes/resources.py": resources, "shop/notes/commands/go.py": command("print(1)")}
    )
    result = manage("go")
    assert result.code == 3
    assert result.err == (
        "error: [lifecycle.E004] shop/notes/resources.py:5: the resource 'desk' of the app"
        " 'notes' could not be opened: OSError: on fire; --traceback shows all of it\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_it_and_everything_closes(
    number: signal.Signals, notes: ProjectFolder
) -> None:
    notes.write(
        {
            "shop/notes/commands/go.py": command(
                'print("at work", flush=True)\nawait asyncio.sleep(600)'
            )
        }
    )
    with start(
        [sys.executable, "-m", "fastforge", "go"], cwd=notes.path, env={"FASTFORGE_ENV": "test"}
    ) as process:
        process.wait_for("at work")
        process.send(number)
        assert process.wait() == 128 + number
        assert process.output.splitlines()[-1] == "desk closed"
        assert "Traceback" not in process.output


def test_a_second_signal_does_not_wait(notes: ProjectFolder) -> None:
    body = """
print("at work", flush=True)
while True:
    try:
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        print("not yet", flush=True)
"""
    notes.write({"shop/notes/commands/go.py": command(body)})
    with start(
        [sys.executable, "-m", "fastforge", "go"], cwd=notes.path, env={"FASTFORGE_ENV": "test"}
    ) as process:
        process.wait_for("at work")
        process.terminate()
        process.wait_for("not yet")
        process.terminate()
        assert process.wait() == -signal.SIGTERM


def test_ctrl_c_in_a_plain_function_is_quiet(notes: ProjectFolder) -> None:
    body = 'import time\nprint("at work", flush=True)\ntime.sleep(600)'
    head = '@command(starts="nothing")\ndef go():'
    notes.write({"shop/notes/commands/go.py": command(body, head)})
    with start(
        [sys.executable, "-m", "fastforge", "go"], cwd=notes.path, env={"FASTFORGE_ENV": "test"}
    ) as process:
        process.wait_for("at work")
        process.interrupt()
        assert process.wait() == 130
        assert process.output.split() == ["at", "work"]


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_leaves_is_no_failure(lines: int, notes: ProjectFolder) -> None:
    body = f'for number in range({lines}):\n    print("line", number)'
    head = '@command(starts="nothing")\ndef go():'
    notes.write({"shop/notes/commands/go.py": command(body, head)})
    with subprocess.Popen(
        [sys.executable, "-m", "fastforge", "go"],
        cwd=notes.path,
        env={**clean_environment(), "FASTFORGE_ENV": "test", "PYTHONUNBUFFERED": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
        process.wait()
    assert errors == ""


def test_a_broken_pipe_of_its_own_is_told(notes: ProjectFolder, manage: Shell) -> None:
    """Not every broken pipe is our output's."""
    notes.write({"shop/notes/commands/go.py": command("raise BrokenPipeError(32, 'Broken pipe')")})
    result = manage("go")
    assert result.code == 1
    assert "go.py:9: BrokenPipeError: [Errno 32] Broken pipe; --traceback" in result.err


def test_the_users_line_is_found_below_the_libraries(
    notes: ProjectFolder, manage: Shell, nowhere: Path
) -> None:
    notes.write({"shop/notes/commands/go.py": command('import json\n\njson.loads("{")')})
    assert "] shop/notes/commands/go.py:11: JSONDecodeError: " in manage("go").err
