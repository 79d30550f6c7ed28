"""The shell: a running project at hand, in a terminal and without one."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.commanding import python
from tests.folder import ProjectFolder
from tests.processes import clean_environment
from tests.terminal import CTRL_C, CTRL_D, Terminal, in_terminal

from .conftest import PYPROJECT, Shell

MANAGE: Final = [sys.executable, "-m", "fastforge"]
PROMPTS: Final = {"plain": ">>> ", "ipython": "]: ", "ptpython": ">>>"}
COUNT: Final = "await db.scalar(select(func.count(Note.id)))"

FILES: Final = {
    "pyproject.toml": PYPROJECT,
    "shop/settings.py": """
        INSTALLED_APPS = ["fastforge.contrib.db", "shop.notes"]
        TASKS = {"backend": "memory"}
        """,
    "shop/notes/models.py": """
        from fastforge.contrib.db import Model
        from sqlalchemy.orm import Mapped, mapped_column

        class Note(Model):
            id: Mapped[int] = mapped_column(primary_key=True)
            text: Mapped[str]
        """,
    "shop/notes/tasks.py": """
        from fastforge import task

        @task
        async def count_words(note_id: int) -> None: ...
        """,
    "shop/notes/resources.py": """
        from collections.abc import AsyncIterator
        from fastforge import resource

        @resource
        async def desk() -> AsyncIterator[str]:
            yield "oak"
            print("desk closed")

        @resource(needs=[desk])
        async def lamp() -> AsyncIterator[str]:
            yield "lit"
            print("lamp closed")
        """,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a database that has its table."""
    path = tmp_path_factory.mktemp("shell")
    ProjectFolder(path).write(FILES)
    made = shell(
        path,
        "async with database.engine.begin() as connection:\n"
        "    await connection.run_sync(Note.metadata.create_all)\n",
    )
    assert made.returncode == 0, made.stderr
    return path


def shell(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    return python([*MANAGE[1:], "shell", "-c", code], cwd=folder, env={"FASTFORGE_ENV": "test"})


# --- without a terminal --------------------------------------------------------------------------


def test_code_awaits_finds_everything_by_name_and_prints_nothing_else(folder: Path) -> None:
    result = shell(
        folder,
        "async with db.atomic():\n"
        "    db.add(Note(text='hello'))\n"
        f"print({COUNT}, desk, count_words.name, project.name)\n"
        "print(container[__import__('shop.notes.resources').notes.resources.lamp], settings.debug)",
    )
    assert result.stderr == ""
    assert result.stdout == (
        "1 oak shop.notes.tasks.count_words shop\nlit False\nlamp closed\ndesk closed\n"
    )
    assert result.returncode == 0


def test_an_exception_is_told_from_the_own_code_on(folder: Path) -> None:
    """Also one behind an await, which went through our frames; what was added is no mistake."""
    result = shell(folder, "import asyncio\ndb.add(Note(text='x'))\nawait asyncio.sleep(0)\n1 / 0")
    lines = result.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == '  File "<shell>", line 4, in <module>'
    assert lines[2] == "    1 / 0"
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert (result.returncode, result.stdout) == (1, "lamp closed\ndesk closed\n")


def test_code_comes_from_standard_input_when_that_is_no_terminal(folder: Path) -> None:
    result = subprocess.run(
        [*MANAGE, "shell"],
        input="import asyncio\nawait asyncio.sleep(0)\nfor it in (desk, lamp):\n    print(it)\n",
        cwd=folder,
        env=clean_environment() | {"FASTFORGE_ENV": "test"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "oak\nlit\nlamp closed\ndesk closed\n"


def test_what_was_added_and_never_written_is_told(folder: Path) -> None:
    result = shell(folder, "db.add(Note(text='lost'))")
    assert result.returncode == 2
    assert result.stderr.startswith("error: [db.E002] objects were added")


def test_the_shell_opens_what_it_can(shop: ProjectFolder, manage: Shell) -> None:
    shop.write(
        {
            "shop/notes/resources.py": """
                from fastforge import resource

                @resource(required=False)
                async def mirror():
                    raise OSError("fogged")
                    yield
                """,
            "shop/notes/shell_names.py": """
                from typing import Annotated
                from fastforge import provide
                from fastforge.commands import shell_names
                from .resources import mirror

                @shell_names
                def seen(mirror: Annotated[str, provide(mirror)]) -> dict[str, object]:
                    return {"seen": mirror}

                @shell_names
                def numbers() -> dict[str, object]:
                    return {"five": 5, "project": "taken"}

                @shell_names
                def nothing():
                    return None
                """,
        }
    )
    result = manage("shell", "-c", "print(five, project.name, 'mirror' in globals())")
    assert (result.code, result.out) == (0, "5 shop False\n")


@pytest.mark.parametrize(
    ("code", "exit_code"), [("exit(4)", 4), ("await __import__('asyncio').sleep(0); exit(5)", 5)]
)
def test_code_may_choose_the_exit_code(
    code: str, exit_code: int, shop: ProjectFolder, manage: Shell
) -> None:
    with pytest.raises(SystemExit) as exit_:
        manage("shell", "-c", code)
    assert exit_.value.code == exit_code


def test_code_that_is_no_python_is_told_as_python_does(shop: ProjectFolder, manage: Shell) -> None:
    result = manage("shell", "-c", "x = (")
    assert result.code == 1
    assert result.err.startswith('  File "<shell>", line 1\n    x = (\n')
    assert result.err.endswith("SyntaxError: '(' was never closed\n")


def test_a_required_resource_that_does_not_open_is_one_line(
    shop: ProjectFolder, manage: Shell
) -> None:
    shop.write(
        {"shop/notes/resources.py": FILES["shop/notes/resources.py"].replace('"oak"', "9/0")}
    )
    result = manage("shell", "-c", "print(1)")
    assert (result.code, result.out, result.err.count("\n")) == (3, "", 1)
    assert "'desk' of the app 'notes' could not be opened" in result.err


def test_an_interface_that_is_not_installed_is_one_line(
    shop: ProjectFolder, manage: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ptpython", None)
    result = manage("shell", "--interface", "ptpython", "-c", "print(1)")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "error: [management.E020] --interface ptpython: ptpython is not installed;"
        " install it with: pip install ptpython\n"
    )


# --- in a terminal -------------------------------------------------------------------------------


def at_home_in(folder: Path) -> dict[str, str]:
    """Where the consoles keep what they remember: never in the home of whoever runs the tests."""
    return {
        "FASTFORGE_ENV": "test",
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHON_HISTORY": str(folder / "history"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_DATA_HOME": str(folder / "data"),
    }


def ended_by_ctrl_d(terminal: Terminal) -> int:
    terminal.type(CTRL_D)
    return 0


def ended_by_exit(terminal: Terminal) -> int:
    terminal.enter("exit()")
    return 0


def ended_by_sigterm(terminal: Terminal) -> int:
    terminal.popen.send_signal(signal.SIGTERM)
    return 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("interface", "end"),
    [
        ("plain", ended_by_ctrl_d),
        ("plain", ended_by_sigterm),
        ("ipython", ended_by_exit),
        ("ipython", ended_by_sigterm),
        ("ptpython", ended_by_ctrl_d),
        ("ptpython", ended_by_sigterm),
    ],
)
def test_a_console_awaits_survives_and_closes_in_order(
    interface: str, end: object, folder: Path, tmp_path: Path
) -> None:
    """Ctrl-C interrupts what is awaited; an exception is shown; then everything is closed."""
    prompt = PROMPTS[interface]
    argv = [*MANAGE, "shell", "--interface", interface]
    with in_terminal(argv, cwd=folder, env=at_home_in(tmp_path)) as terminal:
        banner = terminal.wait_for(prompt)
        assert "models: Note" in banner
        assert "tasks: count_words" in banner
        assert (
            "resources: offloading, memory_cache, memory_channels, task_clock, memory_jobs,"
            " database, databases, desk, lamp" in banner
        )
        terminal.enter(f"777_000 + {COUNT}")
        terminal.wait_for("77700")
        terminal.wait_for(prompt)
        terminal.enter("import asyncio; print('on', 'it'); await asyncio.sleep(600)")
        terminal.wait_for("on it")
        terminal.type(CTRL_C)
        terminal.wait_for("KeyboardInterrupt")
        terminal.wait_for(prompt)
        terminal.enter("1 / 0")
        terminal.wait_for("ZeroDivisionError: division by zero")
        terminal.wait_for(prompt)
        expected = end(terminal)  # type: ignore[operator]
        assert terminal.wait() == expected
        assert "lamp closed\ndesk closed\n" in terminal.shown
        assert "Traceback" not in terminal.shown.rpartition("ZeroDivisionError")[2]


def test_ctrl_c_interrupts_code_that_does_not_await_and_a_line(
    folder: Path, tmp_path: Path
) -> None:
    argv = [*MANAGE, "shell", "--interface", "plain"]
    with in_terminal(argv, cwd=folder, env=at_home_in(tmp_path)) as terminal:
        terminal.wait_for(">>> ")
        terminal.enter("import time; print('on', 'it'); time.sleep(600)")
        terminal.wait_for("on it")
        terminal.type(CTRL_C)
        terminal.wait_for("KeyboardInterrupt")
        terminal.wait_for(">>> ")
        terminal.type("half a li")
        terminal.wait_for("half a li")
        # Python misses a signal that comes while it echoes a key, until the next one.
        terminal.press_until(CTRL_C, "KeyboardInterrupt")
        terminal.wait_for(">>> ")
        terminal.enter("print(6 * 7)")
        terminal.wait_for("42")


@pytest.mark.parametrize("interface", PROMPTS)
def test_a_console_works_without_a_home(interface: str, folder: Path, tmp_path: Path) -> None:
    """And without a place for its history: what may not be written to is a file here."""
    (tmp_path / "file").touch()
    nowhere = at_home_in(tmp_path / "file")
    argv = ["env", "-u", "HOME", *MANAGE, "shell", "--interface", interface]
    with in_terminal(argv, cwd=folder, env=nowhere) as terminal:
        terminal.wait_for(PROMPTS[interface])
        terminal.enter("await __import__('asyncio').sleep(0, 40 + 2)")
        terminal.wait_for("42")


def test_the_plain_console_keeps_its_history(folder: Path, tmp_path: Path) -> None:
    argv = [*MANAGE, "shell", "--interface", "plain"]
    with in_terminal(argv, cwd=folder, env=at_home_in(tmp_path)) as terminal:
        terminal.wait_for(">>> ")
        terminal.enter("'a line'")
        terminal.wait_for(">>> ")
        terminal.type(CTRL_D)
        assert terminal.wait() == 0
    assert "'a line'" in (tmp_path / "history").read_text()
