"""Help lists what can be run, whatever state the project is in, and imports next to nothing."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import click
import pytest

from fastforge import __version__
from fastforge.commands import CommandFile, each_command
from fastforge.management.invocation import core_commands
from fastforge.management.parameters import form_of
from tests.folder import ProjectFolder
from tests.processes import clean_environment, run

from .conftest import Shell

COMMAND = '''
"""Count the notes.

With more words below.
"""
import fastapi, sqlalchemy
from fastforge.commands import command

@command(starts="nothing")
def count_notes() -> None: ...
'''

PROBE = """
import json, sys
from fastforge.management.cli import run
code = run(sys.argv[1:])
print()
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def test_help_groups_the_commands_by_app(shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/notes/commands/count_notes.py": COMMAND})
    result = manage("--help")
    assert result.code == 0
    core, notes = result.out.split("\nnotes:\n")
    assert "\nfastforge:\n" in core
    assert "  check " in core and "  runserver " in core
    assert notes == "  count_notes  Count the notes.\n"
    assert f"fastforge {__version__} on shop.settings." in core


def test_help_imports_nothing_of_the_project_and_nothing_heavy(shop: ProjectFolder) -> None:
    """Not even with apps installed that are made of it, and commands that import it."""
    shop.write(
        {
            "shop/settings.py": """
                from fastforge.contrib.db import Database
                from fastforge.contrib.http import Http

                INSTALLED_APPS = [
                    "fastforge.contrib.db",
                    "fastforge.contrib.jobs",
                    "fastforge.contrib.http",
                    "shop.notes",
                ]
                DATABASES = {"default": Database(url="sqlite+aiosqlite:///db.sqlite3")}
                HTTP = Http(timeout_s=1)
                """,
            "shop/notes/commands/count_notes.py": COMMAND,
            "shop/notes/models.py": "import sqlalchemy",
            "shop/notes/routes.py": "import fastapi",
        }
    )
    result = run(
        [sys.executable, "-c", PROBE, "--help"], cwd=shop.path, env={"FASTFORGE_ENV": "test"}
    )
    assert "count_notes  Count the notes." in result.stdout, result.stdout + result.stderr
    assert "  migrate " in result.stdout
    code, names = json.loads(result.stdout.splitlines()[-1])
    assert code == 0
    heavy = {"alembic", "fastapi", "httpx", "sqlalchemy", "starlette", "uvicorn", "watchfiles"}
    heavy |= {"asyncio", "dotenv", "logging", "pydantic", "pydantic_core", "shop"}
    assert heavy & set(names) == set()


def test_settings_that_do_not_plainly_say_their_apps_are_run(
    shop: ProjectFolder, manage: Shell
) -> None:
    shop.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = [f"shop.{name}" for name in ("notes",)]\n',
            "shop/notes/commands/count_notes.py": COMMAND,
        }
    )
    assert "  count_notes  Count the notes.\n" in manage("--help").out


def test_settings_that_plainly_say_their_apps_may_fail(shop: ProjectFolder, manage: Shell) -> None:
    """What they fail with is told by the command that is run."""
    shop.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.notes"]\nPORT = 1 / 0\n',
            "shop/notes/commands/count_notes.py": COMMAND,
        }
    )
    result = manage("--help")
    assert (result.code, result.err) == (0, "")
    assert "  count_notes  Count the notes.\n" in result.out
    assert "not listed" not in result.out
    assert "ZeroDivisionError" in manage("count_notes").err


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["startproject", "--help"]])
def test_what_reads_no_settings_imports_no_pydantic(arguments: list[str], nowhere: Path) -> None:
    result = run([sys.executable, "-c", PROBE, *arguments], cwd=nowhere)
    code, names = json.loads(result.stdout.splitlines()[-1])
    assert code == 0
    assert {"fastapi", "pydantic", "pydantic_core"} & set(names) == set()


def test_outside_of_a_project_help_lists_what_needs_none(nowhere: Path, manage: Shell) -> None:
    result = manage("--help")
    assert result.code == 0
    assert "  startproject  Write a new project.\n" in result.out
    assert "runserver" not in result.out
    assert result.out.endswith(
        "\nThe other commands are not listed:\n"
        "  [conf.E013] no settings module is named; run this in a project's folder,"
        " or set FASTFORGE_SETTINGS_MODULE=shop.settings\n"
    )


@pytest.mark.parametrize(
    ("settings", "reasons"),
    [
        (
            'INSTALLED_APPS = ["shop.note"]\nPORT = 1 / 0\n',
            "  [conf.E003] shop/settings.py:2: the settings module fails: ZeroDivisionError:"
            " division by zero; --traceback shows all of it\n",
        ),
        (
            'from fastforge.conf import env\nA = env("AA")\nINSTALLED_APPS = ["shop.note"]\n',
            "  [conf.E007] shop/settings.py:2: the environment variable AA is not set;"
            " set it, for example AA=..., or give a default\n"
            "  [apps.E002] shop/settings.py:3: no app 'shop.note' can be imported;"
            " did you mean 'shop.notes'?\n",
        ),
    ],
)
def test_with_broken_settings_help_lists_core_and_every_reason(
    settings: str, reasons: str, shop: ProjectFolder, manage: Shell
) -> None:
    shop.write({"shop/settings.py": settings})
    result = manage("--help")
    assert result.code == 0
    assert "  check " in result.out and "  runserver " in result.out
    assert result.out.endswith(f"\nThe commands of apps are not listed:\n{reasons}")


def test_settings_are_read_whatever_stands_first(shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/other.py": ""})
    for arguments in (("--help", "--settings", "shop.other"), ("--settings=shop.other", "--help")):
        assert "on shop.other." in manage(*arguments).out


def test_the_help_of_a_command_comes_from_its_docstring_and_its_signature(
    shop: ProjectFolder, manage: Shell
) -> None:
    shop.write(
        {
            "shop/notes/commands/close.py": '''
                """Close one month.

                Nothing can be changed afterwards.
                """
                from typing import Annotated
                from fastforge.commands import command

                @command(starts="nothing")
                def close(
                    month: Annotated[int, "From 1 to 12."],
                    year: Annotated[int, "As four digits."] = 2026,
                    *,
                    dry_run: bool = False,
                ) -> None: ...
                '''
        }
    )
    result = manage("close", "--help")
    assert result.code == 0
    assert result.out == (
        "Usage: manage close [OPTIONS] MONTH\n"
        "\n"
        "  Close one month.\n"
        "\n"
        "  Nothing can be changed afterwards.\n"
        "\n"
        "Positional arguments:\n"
        "  MONTH  From 1 to 12.\n"
        "\n"
        "Options:\n"
        "  --year INTEGER  As four digits.  [default: 2026]\n"
        "  --dry-run\n"
        "  --help          Show this message and exit.\n"
    )


@pytest.mark.parametrize("file", list(each_command(core_commands())), ids=lambda file: file.name)
def test_every_parameter_of_our_own_is_explained_in_a_sentence(file: CommandFile) -> None:
    for parameter in form_of(file.load()).parameters:
        assert isinstance(parameter, click.Option | click.Argument)
        text = (parameter.help or "").partition("  [default: ")[0]
        assert text[:1].isupper(), (parameter.name, text)
        assert text.endswith("."), (parameter.name, text)
        if parameter.name == "json":
            assert text == "Write JSON."


def test_the_list_alone_runs_no_code_of_a_command(shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/notes/commands/broken.py": '"""Broken."""\nraise RuntimeError\n'})
    assert "  broken  Broken.\n" in manage("--help").out
    assert "shop.notes.commands.broken" not in sys.modules


def test_without_arguments_help_is_shown_as_wrong_usage(nowhere: Path, manage: Shell) -> None:
    result = manage()
    assert result.code == 2
    assert "startproject" in result.err


def test_version(nowhere: Path, manage: Shell) -> None:
    result = manage("--version")
    assert (result.code, result.out.partition(",")[0]) == (0, f"fastforge {__version__}")


def test_it_is_a_module_too(nowhere: Path) -> None:
    result = run([sys.executable, "-m", "fastforge", "--version"], cwd=nowhere)
    assert result.stdout.startswith("fastforge "), result.stderr


def test_output_that_is_no_terminal_has_no_colours(shop: ProjectFolder, manage: Shell) -> None:
    results = [manage("--help"), manage("check"), manage("chek")]
    assert all("\x1b" not in result.out + result.err for result in results)


COLOURED = b"\x1b[31merror: \x1b[0m"


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False)],
)
def test_a_terminal_has_colours_unless_it_wants_none(
    variables: dict[str, str], coloured: bool, shop: ProjectFolder
) -> None:
    reading, writing = pty.openpty()
    with open(reading, "rb", buffering=0) as terminal:
        code = wrong_command(shop, variables, writing)
        os.close(writing)
        assert (code, COLOURED in terminal.read(65536)) == (2, coloured)


@pytest.mark.parametrize(("variables", "coloured"), [({}, False), ({"FORCE_COLOR": "1"}, True)])
def test_a_file_has_colours_only_where_they_are_forced(
    variables: dict[str, str], coloured: bool, shop: ProjectFolder
) -> None:
    with (shop.path / "output").open("w+b") as output:
        assert wrong_command(shop, variables, output.fileno()) == 2
        output.seek(0)
        assert (COLOURED in output.read()) is coloured


def wrong_command(shop: ProjectFolder, variables: dict[str, str], output: int) -> int:
    """Type a command that does not exist in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "fastforge", "chekc"],
        cwd=shop.path,
        env=clean_environment() | {"FASTFORGE_ENV": "test", "NO_COLOR": ""} | variables,
        stdout=output,
        stderr=output,
        check=False,
    ).returncode
