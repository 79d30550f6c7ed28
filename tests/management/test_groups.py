"""Commands behind one word: a folder among an app's commands."""

from __future__ import annotations

import sys

import pytest

from tests.folder import ProjectFolder
from tests.processes import run

from .conftest import Shell

COMMAND = '''
"""{help}"""
from fastforge.commands import command

@command(starts="nothing")
def {name}(word: str = "nothing", /, *, loud: bool = False) -> int:
    print("{name}", word, loud)
    return {code}
'''


@pytest.fixture
def notes(shop: ProjectFolder) -> ProjectFolder:
    """A project with a group of two commands, and one beside it."""
    shop.write(
        {
            "shop/notes/commands/note/__init__.py": '"""Do something.\n\nWith notes."""\n',
            "shop/notes/commands/note/add.py": COMMAND.format(name="add", help="Add.", code=0),
            "shop/notes/commands/note/drop.py": COMMAND.format(name="drop", help="Drop.", code=7),
            "shop/notes/commands/note/_shared.py": "raise RuntimeError\n",
            "shop/notes/commands/count.py": COMMAND.format(name="count", help="Count.", code=0),
            "shop/notes/commands/_hidden/__init__.py": "raise RuntimeError\n",
            "shop/notes/commands/plain/text.txt": "",
        }
    )
    return shop


def test_a_group_is_listed_as_one_line(notes: ProjectFolder, manage: Shell) -> None:
    _, listed = manage("--help").out.split("\nnotes:\n")
    assert listed == "  count  Count.\n  note   Do something.\n"
    assert not [name for name in sys.modules if name.startswith("shop.")]


def test_a_group_lists_its_commands(notes: ProjectFolder, manage: Shell) -> None:
    result = manage("note", "--help")
    assert result.code == 0
    assert result.out.startswith("Usage: manage note [OPTIONS] COMMAND ...\n\n  Do something.\n")
    assert "\nCommands:\n  add   Add.\n  drop  Drop.\n" in result.out
    assert "shop.notes.commands.note.add" not in sys.modules
    alone = manage("note")
    assert (alone.code, alone.out + alone.err) == (2, result.out)


def test_a_command_of_a_group_runs(notes: ProjectFolder, manage: Shell) -> None:
    assert manage("note", "add", "this", "--loud").out == "add this True\n"
    result = manage("note", "drop")
    assert (result.code, result.out) == (7, "drop nothing False\n")
    assert "Usage: manage note add [OPTIONS] [WORD]" in manage("note", "add", "--help").out


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("note", "dorp"), "[management.E001] there is no command 'dorp'; did you mean 'drop'?"),
        (
            ("note", "zz"),
            "[management.E001] there is no command 'zz'; `manage note --help` lists the commands",
        ),
        (("nota", "add"), "[management.E001] there is no command 'nota'; did you mean 'note'?"),
        (
            ("note", "--loud"),
            "[management.E002] `manage note` has no option '--loud'; `manage note --help` lists"
            " them",
        ),
        (
            ("note", "add", "--lod"),
            "[management.E002] `manage note add` has no option '--lod'; did you mean '--loud'?",
        ),
        (
            ("note", "add", "--settings", "x"),
            "[management.E002] `manage note add` has no option '--settings'; it stands before the"
            " command: manage --settings ...",
        ),
    ],
)
def test_a_mistake_is_one_line(
    typed: tuple[str, ...], told: str, notes: ProjectFolder, manage: Shell
) -> None:
    result = manage(*typed)
    assert (result.code, result.out, result.err) == (2, "", f"error: {told}\n")


def test_a_group_and_a_command_of_one_name_are_refused(notes: ProjectFolder, manage: Shell) -> None:
    notes.write({"shop/notes/commands/note.py": COMMAND.format(name="note", help="Note.", code=0)})
    result = manage("note", "add")
    assert result.code == 2
    assert "[components.E001]" in result.err
    assert "two commands are named 'note'" in result.err


def test_a_broken_command_of_a_group_hides_no_other(notes: ProjectFolder, manage: Shell) -> None:
    notes.write(
        {
            "shop/notes/commands/note/broken.py": '"""Broken."""\nraise RuntimeError\n',
            "shop/notes/commands/note/__init__.py": "x = (",
        }
    )
    assert "broken  Broken." in manage("note", "--help").out
    for words in ("note", "add"), ("check",):
        result = manage(*words)
        assert result.code == 1
        assert "shop/notes/commands/note/__init__.py:1: " in result.out + result.err


def test_checks_look_into_groups(notes: ProjectFolder, manage: Shell) -> None:
    notes.write({"shop/notes/commands/note/empty.py": '"""Empty."""\n'})
    result = manage("check")
    assert result.code == 1
    assert "[components.E012] the file of the command 'note empty' defines 0 comm" in result.out


def test_a_shell_completes_in_a_group(notes: ProjectFolder) -> None:
    notes.write({"manage.py": "from fastforge.management.cli import main\nmain()\n"})

    def completed(words: str, last: int) -> list[str]:
        environ = {"COMP_WORDS": words, "COMP_CWORD": str(last)}
        environ |= {"_MANAGE_PY_COMPLETE": "bash_complete"}
        result = run([sys.executable, "manage.py"], cwd=notes.path, env=environ)
        assert result.stderr == ""
        return result.stdout.split()

    assert completed("manage.py no", 1) == ["plain,note"]
    assert completed("manage.py note ", 2) == ["plain,add", "plain,drop"]
    assert completed("manage.py note add --l", 3) == ["plain,--loud"]
    assert completed("manage.py jobs s", 2) == ["plain,show", "plain,stats"]
    assert completed("manage.py jobs list --state d", 4) == ["plain,done", "plain,dead"]


def test_inspect_shows_each_command_of_a_group(notes: ProjectFolder, manage: Shell) -> None:
    out = manage("inspect", "commands", "note add").out
    assert "shop.notes.commands.note.add" in out
