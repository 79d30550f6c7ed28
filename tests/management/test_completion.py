"""A shell completes commands, options and choices, and no line of the project runs for it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.folder import ProjectFolder
from tests.processes import run

from .conftest import Shell

PROGRAM = f"#!{sys.executable}\nfrom fastforge.management.cli import main\nmain()\n"

COMMAND = '''
"""Count the notes: all of them."""
from typing import Annotated, Literal
from fastforge.commands import command

@command(starts="nothing")
def count_notes(*, by: Literal["day", "month"] = "day", exactly: bool = False) -> None: ...
'''

# What a shell does at the Tab key: the words so far, the last one incomplete.
ASK = """
eval "$(manage completion bash)"
ask() {
    local words=$1; read -r -a COMP_WORDS <<< "$words"
    [[ $words == *" " ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
    local specification=$(complete -p "${COMP_WORDS[0]##*/}")
    [[ $specification =~ -F\\ ([^ ]+) ]] && "${BASH_REMATCH[1]}" "${COMP_WORDS[0]}"
    echo "$words> ${COMPREPLY[*]}"
}
"""


@pytest.fixture
def notes(shop: ProjectFolder) -> ProjectFolder:
    """A project with a command of its own and settings that say so when they run."""
    shop.write(
        {
            "shop/settings.py": 'print("running", flush=True)\nINSTALLED_APPS = ["shop.notes"]\n',
            "shop/notes/commands/count_notes.py": COMMAND,
            "shop/notes/commands/count_broken.py": '"""Broken."""\nraise RuntimeError\n',
        }
    )
    for name in ("manage", "fastforge", "manage.py"):
        shop.write({name: PROGRAM})
        (shop.path / name).chmod(0o755)
    return shop


def completed(notes: ProjectFolder, words: str, shell: str, *, last: str) -> list[str]:
    """What the program tells a shell, in that shell's form."""
    environ = {"COMP_WORDS": words, "COMP_CWORD": last}
    environ |= {"_MANAGE_PY_COMPLETE": f"{shell}_complete"}
    result = run([notes.path / "manage.py"], cwd=notes.path, env=environ)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_completes(notes: ProjectFolder) -> None:
    questions = {
        "manage count_n": "count_notes",
        "fastforge count_n": "count_notes",
        "./manage.py runs": "runserver",
        "manage check --fail-level ": "error warning info",
        "manage count_notes --by m": "month",
        "manage count_notes --e": "--exactly",
        "manage count_broken --": "--help",
        "manage completion z": "zsh",
        "manage --settings shop.settings count_n": "count_notes",
        "manage --trace": "--traceback",
    }
    script = ASK + "".join(f'ask "{words}"\n' for words in questions)
    path = f"{notes.path}:/usr/local/bin:/usr/bin:/bin"
    result = run(["bash", "--norc", "-c", script], cwd=notes.path, env={"PATH": path})
    answers = dict(line.split("> ", 1) for line in result.stdout.splitlines())
    assert (answers, result.stderr) == (questions, "")


def test_zsh_is_told_the_help_too(notes: ProjectFolder) -> None:
    lines = completed(notes, "manage.py count_n", "zsh", last="1")
    assert lines == ["plain", "count_notes", "Count the notes: all of them."]


def test_fish_is_told_the_help_too(notes: ProjectFolder) -> None:
    lines = completed(notes, "manage.py ", "fish", last="count_n")
    assert lines == ["plain,count_notes\tCount the notes: all of them."]


def test_with_broken_settings_the_commands_of_the_framework_are_left(notes: ProjectFolder) -> None:
    notes.write({"shop/settings.py": "x = ("})
    assert completed(notes, "manage.py runs", "bash", last="1") == ["plain,runserver"]
    assert completed(notes, "manage.py count", "bash", last="1") == [""]


def test_a_key_press_imports_neither_pydantic_nor_the_project(notes: ProjectFolder) -> None:
    environ = {
        "_MANAGE_PY_COMPLETE": "bash_complete",
        "COMP_WORDS": "manage.py ",
        "COMP_CWORD": "1",
    }
    argv = [sys.executable, "-X", "importtime", "manage.py"]
    result = run(argv, cwd=notes.path, env=environ)
    assert "plain,count_notes" in result.stdout.splitlines()
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert "click" in imported
    assert imported & {"asyncio", "fastapi", "pydantic", "shop", "shop.settings"} == set()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_is_for_the_shell_that_the_environment_names(
    shell: str, nowhere: Path, manage: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    result = manage("completion")
    assert result.code == 0
    assert f"_MANAGE_COMPLETE={shell}_complete" in result.out
    assert f"_FASTFORGE_COMPLETE={shell}_complete" in result.out


def test_a_shell_that_is_not_known_is_told(
    nowhere: Path, manage: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    assert manage("completion").err.startswith(
        "error: [management.E014] SHELL is '/bin/tcsh', which does not say bash, zsh or fish;"
    )
    result = manage("completion", "zhs")
    assert "'zhs' is none of bash, zsh, fish, did you mean 'zsh'?" in result.err
    assert result.code == 2
