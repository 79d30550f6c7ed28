"""Commands are found by their files and read without importing them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.commands import find_commands
from fastforge.exceptions import ComponentError
from tests.folder import ProjectFolder, isolated

COMMAND = '''
"""Close the books of one month.

More about it.
"""
from fastforge.commands import command

@command(starts="project")
def close_month(month: str) -> None: ...
'''


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        sys.path.insert(0, str(tmp_path))
        yield folder


def test_the_file_is_the_name_and_its_first_line_the_help(folder: ProjectFolder) -> None:
    folder.write({"shop/a/commands/close_month.py": COMMAND, "shop/a/commands/_help.py": ""})
    [found] = find_commands([("a", "shop.a.commands")]).values()
    assert (found.name, found.app) == ("close_month", "a")
    assert found.help == "Close the books of one month."
    assert "shop.a.commands.close_month" not in sys.modules
    assert found.load().starts == "project"


@pytest.mark.parametrize(
    ("source", "help_"),
    [
        (b'"""Close.\n\nMore."""\nX = 1\n', "Close."),
        (b'\n"""\n  Close "all".\n"""\r\n', 'Close "all".'),
        (b'"""Z\xc3\xa4hle."""\n', "Zähle."),
        (b"'''Close.'''", "Close."),
        (b'r"""Close \\d."""\n', "Close \\d."),
        (b'"""Close\\x21"""\n', "Close!"),
        (b'# First a comment.\n"Close."\n', "Close."),
        (b'# coding: latin-1\n"""Z\xe4hle."""\n', "Zähle."),
        (b'\xef\xbb\xbf"""Close."""\n', "Close."),
        (b'"""Close.""" + ""\n', ""),
        (b"X = 1\n", ""),
        (b"", ""),
        (b"x = (\n", "(is not valid Python: line 1)"),
    ],
)
def test_the_help_is_the_first_line_of_the_docstring_however_it_is_written(
    source: bytes, help_: str, folder: ProjectFolder
) -> None:
    folder.write({"shop/a/commands/go.py": ""})
    (folder.path / "shop/a/commands/go.py").write_bytes(source)
    assert find_commands([("a", "shop.a.commands")])["go"].help == help_


@pytest.mark.usefixtures("folder")
def test_a_folder_that_python_finds_twice_has_its_commands_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = tmp_path / "twice" / "commands"
    commands.mkdir(parents=True)  # and no `__init__.py`
    (commands / "close_month.py").write_text(COMMAND.lstrip())
    monkeypatch.chdir(tmp_path)
    sys.path.insert(0, "")
    assert [*find_commands([("twice", "twice.commands")])] == ["close_month"]


def test_an_app_without_commands_has_none(folder: ProjectFolder) -> None:
    folder.write({"shop/a/routes.py": ""})
    assert find_commands([("a", "shop.a.commands")]) == {}


def test_a_name_twice_is_refused_naming_both(folder: ProjectFolder) -> None:
    folder.write({"shop/a/commands/go.py": COMMAND, "shop/b/commands/go.py": COMMAND})
    with pytest.raises(ComponentError, match="two commands are named 'go': in app 'a'"):
        find_commands([("a", "shop.a.commands"), ("b", "shop.b.commands")])


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), (COMMAND + COMMAND.replace("close_month", "two"), 2)]
)
def test_a_file_has_exactly_one_command(text: str, count: int, folder: ProjectFolder) -> None:
    folder.write({"shop/a/commands/go.py": text})
    with pytest.raises(ComponentError, match=f"defines {count} commands"):
        find_commands([("a", "shop.a.commands")])["go"].load()
