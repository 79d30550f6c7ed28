"""Every mistake of whoever types is one line: the code, what was got, where, and the way out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fastforge.commands import CommandFile, each_command
from fastforge.management.invocation import core_commands
from tests.folder import ProjectFolder

from .conftest import Shell

# What is typed, after which files were written, and all that is said.
OUTSIDE = [
    (
        ["check"],
        "[conf.E013] no settings module is named; run this in a project's folder,"
        " or set FASTFORGE_SETTINGS_MODULE=shop.settings",
    ),
    (
        ["chekc"],
        "[management.E001] there is no command 'chekc'; did you mean 'check'?",
    ),
    (
        ["count_notes"],
        "[management.E001] there is no command 'count_notes';"
        " commands of apps are found in a project's folder, or with --settings",
    ),
    (
        ["--settings", "sohp.settings", "check"],
        "[conf.E001] --settings: the settings module 'sohp.settings' does not exist;"
        " no package 'sohp' is importable",
    ),
    (
        ["startproject"],
        "[management.E003] `manage startproject` needs NAME;"
        " usage: manage startproject [OPTIONS] NAME [DIRECTORY]",
    ),
    (
        ["startproject", "my-shop"],
        "[scaffold.E001] 'my-shop' cannot be the name of a package;"
        " use letters, digits and _, for example my_shop",
    ),
]

INSIDE = [
    (["help"], "there is no command 'help'; write `manage --help`, or `manage COMMAND --help`"),
    (
        ["xyzzy"],
        "[management.E001] there is no command 'xyzzy'; `manage --help` lists the commands",
    ),
    (["coutn_notes"], "there is no command 'coutn_notes'; did you mean 'count_notes'?"),
    (
        ["--setings", "shop.settings", "check"],
        "[management.E002] `manage` has no option '--setings'; did you mean '--settings'?",
    ),
    (
        ["check", "--deplyo"],
        "[management.E002] `manage check` has no option '--deplyo'; did you mean '--deploy'?",
    ),
    (
        ["check", "--traceback"],
        "[management.E002] `manage check` has no option '--traceback';"
        " it stands before the command: manage --traceback ...",
    ),
    (["check", "-x"], "[management.E002] `manage check` has no option '-x';"),
    (
        ["check", "--fail-level", "eror"],
        "[management.E004] --fail-level of `manage check`:"
        " 'eror' is none of error, warning, info, did you mean 'error'?;"
        " usage: manage check [OPTIONS]",
    ),
    (
        ["check", "--fail-level"],
        "[management.E005] `manage check`: option '--fail-level' requires an argument;",
    ),
    (
        ["check", "now"],
        "[management.E005] `manage check`: got unexpected extra argument (now);"
        " usage: manage check [OPTIONS]",
    ),
    (
        ["runworker", "--concurrency", "many"],
        "[management.E004] --concurrency of `manage runworker`:"
        " 'many' is no integer, write for example 10;",
    ),
    (["runworker", "--concurrency", "0"], "[management.E013] --concurrency is 0;"),
    (["runworker", "--queues", "defualt"], "no task of the project uses the queue 'defualt'"),
    (
        ["inspect", "task"],
        "[management.E009] there is nothing of the kind 'task' in this project;"
        " did you mean 'tasks'?",
    ),
    (
        ["inspect", "kinds", "taks"],
        "[management.E026] there is no 'taks' among the kinds of this project;"
        " did you mean 'tasks'?",
    ),
    (
        ["openapi", "--check", "api.json"],
        "[management.E023] api.json cannot be read: No such file or directory;"
        " write it once with: openapi --output api.json",
    ),
    (
        ["openapi", "--check", "shop/settings.py"],
        "[management.E024] shop/settings.py is no JSON: Expecting value:",
    ),
    (
        ["openapi", "--output", "nowhere/api.json"],
        "[management.E025] nowhere/api.json cannot be written: No such file or directory;",
    ),
    (["shell", "--interface", "ipthon"], "'ipthon' is none of plain, ipython, ptpython"),
    (
        ["runserver", "everywhere:http"],
        "[management.E011] 'everywhere:http' is no address to listen on;"
        " write 8000, 0.0.0.0:8000, [::1]:8000 or unix:web.sock",
    ),
    (
        ["runserver", "no_such_host:8000"],
        "[server.E003] cannot listen on no_such_host:8000: ",
    ),
    (["runserver", "99999"], "[server.E006] 99999 is no port; use a number from 0 to 65535"),
    (
        ["completion", "bahs"],
        "'bahs' is none of bash, zsh, fish, did you mean 'bash'?",
    ),
    (
        ["--settings", "shop.setings", "check"],
        "[conf.E001] --settings: the settings module 'shop.setings' does not exist;"
        " did you mean 'shop.settings'?",
    ),
]

BROKEN = [
    (
        "INSTALLED_APS = []",
        "[conf.E017] shop/settings.py:1: no installed app reads the setting INSTALLED_APS;"
        " did you mean 'INSTALLED_APPS'?",
    ),
    (
        'INSTALLED_APPS = ["shop.note"]',
        "[apps.E002] shop/settings.py:1: no app 'shop.note' can be imported;"
        " did you mean 'shop.notes'?",
    ),
    (
        "import os\nKEY = os.environ['NO_SUCH']",
        "[conf.E003] shop/settings.py:2: the settings module fails: KeyError: 'NO_SUCH';"
        " --traceback shows all of it",
    ),
    (
        'from fastforge.conf import env\nSECRET_KEY = env.secret("SECRET_KEY")',
        "[conf.E007] shop/settings.py:2: the environment variable SECRET_KEY or SECRET_KEY_FILE is"
        " not set; set it, on a laptop in .env, which is read in development only",
    ),
    ("x = (", "[conf.E003] shop/settings.py:1: the settings module is not valid Python:"),
    ('DEBUG = "maybe"', "[conf.E006] shop/settings.py:1: DEBUG: "),
]


@pytest.mark.parametrize(
    ("arguments", "line"), OUTSIDE, ids=[" ".join(case[0]) for case in OUTSIDE]
)
def test_outside_of_a_project(
    arguments: list[str], line: str, nowhere: Path, manage: Shell
) -> None:
    result = manage(*arguments)
    assert result.err == f"error: {line}\n"
    assert (result.code, result.out) == (2, "")


@pytest.mark.parametrize(("arguments", "line"), INSIDE, ids=[" ".join(case[0]) for case in INSIDE])
def test_in_a_project(arguments: list[str], line: str, shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/notes/commands/count_notes.py": ""})
    result = manage(*arguments)
    assert result.err.startswith("error: [")
    assert line in result.err
    assert result.err.count("\n") == 1
    assert (result.code, result.out) == (2, "")


@pytest.mark.parametrize(("settings", "line"), BROKEN)
@pytest.mark.parametrize("command", ["check", "count_notes"])
def test_with_broken_settings(
    command: str, settings: str, line: str, shop: ProjectFolder, manage: Shell
) -> None:
    """They are the cause also when a command of an app is not found because of them."""
    shop.write({"shop/settings.py": settings})
    result = manage(command)
    assert result.err.startswith(f"error: {line}")
    assert result.err.count("\n") == 1
    assert (result.code, result.out) == (2, "")


def test_several_mistakes_are_a_line_each(shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/settings.py": 'INSTALLED_APS = []\nDEBUG = "maybe"\n'})
    result = manage("check")
    lines = result.err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("error: [conf.E0") for line in lines)


def test_the_variable_that_names_wrong_settings_is_named(
    shop: ProjectFolder, manage: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "FASTFORGE_SETTINGS_MODULE", "shop.setings")
    result = manage("check")
    assert result.err == (
        "error: [conf.E001] FASTFORGE_SETTINGS_MODULE: the settings module 'shop.setings'"
        " does not exist; did you mean 'shop.settings'?\n"
    )


def test_two_apps_with_one_command_name_are_both_named(shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/notes/commands/check.py": '"""Mine."""'})
    result = manage("--help")
    assert "two commands are named 'check'" in result.out
    assert "shop/notes/commands/check.py" in result.out


def test_a_command_that_does_not_load_is_one_line(shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/notes/commands/go.py": '"""Go."""\nimport nowhere_at_all\n'})
    result = manage("go")
    assert result.code == 2
    assert result.err == (
        "error: [components.E003] shop/notes/commands/go.py:2: shop.notes.commands.go does not"
        " load: ModuleNotFoundError: No module named 'nowhere_at_all';"
        " install 'nowhere_at_all' or mend the import\n"
    )


def test_the_environment_may_ask_for_failures_whole(
    shop: ProjectFolder, manage: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTFORGE_TRACEBACK", "1")
    shop.write({"shop/settings.py": "KEY = 1 / 0"})
    result = manage("check")
    assert result.err.startswith("Traceback (most recent call last)")
    assert result.err.splitlines()[-1].startswith("error: [conf.E003] shop/settings.py:1: ")


@pytest.mark.parametrize("file", list(each_command(core_commands())), ids=lambda file: file.name)
def test_behind_a_command_traceback_is_sent_before_it(
    file: CommandFile, shop: ProjectFolder, manage: Shell
) -> None:
    if file.load().forwards:
        return  # its options are another program's
    assert manage(*file.name.split(), "--traceback").err == (
        f"error: [management.E002] `manage {file.name}` has no option '--traceback';"
        " it stands before the command: manage --traceback ...\n"
    )


def test_traceback_holds_in_child_processes_too(shop: ProjectFolder, manage: Shell) -> None:
    text = '"""Go."""\nimport os\nfrom fastforge.commands import command\n\n'
    text += '@command(starts="nothing")\ndef go(): print(os.environ.get("FASTFORGE_TRACEBACK"))\n'
    shop.write({"shop/notes/commands/go.py": text})
    assert manage("go").out == "\n"
    assert manage("--traceback", "go").out == "1\n"
