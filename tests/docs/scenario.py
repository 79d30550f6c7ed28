"""A page as a scenario: its files are written, its commands and scripts run, in order.

Every page has a folder of its own and shares nothing with the others. The ports 8000 and 8001 of
the page, those of its metrics and of its collector are free ports of this machine, and the
addresses of services that a page asks for are those of this machine's.
"""

from __future__ import annotations

import atexit
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from math import inf
from pathlib import Path

from tests.commanding import python, start
from tests.processes import Process, clean_environment, free_port, wait_until
from tests.processes import start as start_anew

from .markdown import OUTPUT, Block, Page

__all__ = ["Failure", "matches", "play", "steps"]

DEADLINE_S = 180
RELOAD_DEADLINE_S = 60
PAUSE_S = 0.2
EVERY_COMMAND = {"NO_COLOR": "1", "FASTFORGE_LOG_FORMAT": ""}
PROJECT = "project: "
RUN = frozenset({"console", "python"})
PORT = "8000"
OTHER_PORTS = ("8001", "9464", "9465", "4318")
CURL = Path(__file__).parent / "curl.py"
PROGRAMS = ("fastforge", "manage", "uvicorn")
_PROMPT = "$ "
_ASSIGNMENT = re.compile(r"(?P<name>[A-Z_]+)=(?P<value>.*)")
_PYTHON = re.compile(rf"([A-Z_]+=\S+ )*(python|{'|'.join(PROGRAMS)}) ")
_PUNCTUATION = frozenset("()<>|&;")
_SLOW = "slow query: "
_HAS_PORT = re.compile(r"runserver\b.*\d")


class Failure(AssertionError):
    """What a page promises is not so; the message begins with the page and the line."""


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a console block and what the page says that it writes."""

    line: int
    command: str
    expected: tuple[str, ...]

    @property
    def in_background(self) -> bool:
        return self.command.endswith(" &")

    @property
    def is_question(self) -> bool:
        """Whether it asks a server for an answer that the page shows."""
        return self.command.startswith("curl ") and bool(self.expected)


def play(
    page: Page, folder: Path, addresses: Mapping[str, str] | None = None, *, until: str = ""
) -> None:
    """Run a page in an empty folder.

    Args:
        page: The page.
        folder: Where its files are written.
        addresses: What stands on the page for a service, and where that is here.
        until: The heading to end at; its end without one.

    Raises:
        Failure: A command fails or writes something else.
    """
    (end,) = [each.line for each in page.headings() if each.text == until] if until else [inf]
    with ExitStack() as stack:
        scene = _Scene(page, folder, stack, addresses or {})
        for block in page.blocks():
            if block.line < end:
                scene.play(block)
        scene.finish()


def steps(block: Block) -> list[Step]:
    """The commands of a console block."""
    found: list[Step] = []
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if line.startswith(_PROMPT):
            found.append(Step(number, line.removeprefix(_PROMPT), ()))
        elif found and found[-1].command.endswith("\\"):
            joined = f"{found[-1].command.removesuffix(chr(92))}{line.strip()}"
            found[-1] = Step(found[-1].line, joined, ())
        elif found:
            last = found[-1]
            found[-1] = Step(last.line, last.command, (*last.expected, line))
        else:
            raise Failure(f"line {number}: a console block begins with a command after `$ `")
    return found


def matches(expected: tuple[str, ...], output: str, *, only_beginning: bool = False) -> bool:
    """Whether an output is as the page says.

    `...` is any text, and alone on a line any lines; how wide the columns of a table are does not
    matter. Where the page says nothing of slow statements, they are those of a busy machine.
    """
    pattern = "".join(map(_line_pattern, map(_narrow, expected))).rstrip("\n")
    lines = output.strip("\n").splitlines()
    if not any(_SLOW in line for line in expected):
        lines = [line for line in lines if _SLOW not in line]
    text = "".join(f"{_narrow(line)}\n" for line in lines)
    end = "" if only_beginning else r"\s*\Z"
    return re.match(pattern + end, text) is not None


def arguments_of_python(argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """What `python` is given, where a command is that alone and leaves nothing to the shell.

    There are more than two hundred of them, and most of what each takes is to import. The programs
    that an environment has beside its Python are scripts of it.

    Returns:
        The arguments, none for what a shell has to run; and the variables that stand before them.
    """
    if argv[0] == sys.executable:
        return list(argv[1:]), {}
    command = argv[-1]
    words, variables = _words(command), {}
    while words and (assignment := _ASSIGNMENT.match(words[0])):
        variables[assignment["name"]] = assignment["value"]
        del words[0]
    if not words or not words[1:]:
        return [], {}
    if words[0] == "python" and (words[1] in ("-c", "-m") or words[1].endswith(".py")):
        return words[1:], variables
    program = Path(sys.executable).parent / words[0]
    is_script = words[0] in PROGRAMS and program.exists()
    return ([str(program), *words[1:]], variables) if is_script else ([], {})


def _words(command: str) -> list[str]:
    """The words of a command; none where a shell would make something else of them."""
    if "$" in command or not _PYTHON.match(command):
        return []
    plain = shlex.split(command)
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    is_for_a_shell = words != plain or any(set(word) <= _PUNCTUATION for word in words)
    return [] if is_for_a_shell else plain


def _narrow(line: str) -> str:
    return re.sub(r"(?<=\S) {2,}", "  ", line.rstrip())


def _line_pattern(line: str) -> str:
    if line.strip() == "...":
        return r"(?:.*\n)*?"
    return ".*?".join(map(re.escape, line.split("..."))) + "\n"


@cache
def _new_project(name: str) -> Path:
    """Return a project with the app `notes`, made as a reader would; each page gets a copy."""
    folder = Path(tempfile.mkdtemp(prefix="fastforge-pages-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for command, place in (
        (["startproject", name], folder),
        (["startapp", "notes"], folder / name),
    ):
        done = python(["-m", "fastforge", *command], cwd=place, deadline_s=DEADLINE_S)
        assert done.returncode == 0, done.stderr
    return folder / name


class _Scene:
    """The folder of a page, where its commands stand, and what runs in the background."""

    def __init__(
        self, page: Page, folder: Path, stack: ExitStack, addresses: Mapping[str, str]
    ) -> None:
        self.page = page
        self.addresses = addresses
        self.folder = folder
        self.stack = stack
        self.port = str(free_port())
        others = {port: str(free_port()) for port in OTHER_PORTS}
        self.ports = {PORT: self.port, **others}
        self.background: list[tuple[Step, Process]] = []
        self.exit_code: int | None = 0
        self.failed: tuple[Step, str] | None = None
        self.written = ""
        self.environ: dict[str, str] = {}
        if page.marker.startswith(PROJECT):
            self._start_project(page.marker.removeprefix(PROJECT).partition(",")[0])

    def play(self, block: Block) -> None:
        if block.reason:
            return
        if block.title:
            self._write(block)
        elif block.marker == OUTPUT:
            self._compare_output(block)
        elif block.language == "console":
            for step in steps(block):
                self._step(step)
        elif block.language == "python":
            self._script(block)
        else:
            raise Failure(
                f"{self.page.place(block.line)}: a block of {block.language or 'no language'}"
                " is neither a file nor run: give it a title or `<!-- not run: reason -->`"
            )

    def finish(self) -> None:
        self._refuse_failed()
        for step, process in self.background:
            if not process.alive:
                raise self._failure(step, f"it ended by itself: {process}")

    def _start_project(self, name: str) -> None:
        self.folder /= name
        shutil.copytree(_new_project(name), self.folder)

    def _write(self, block: Block) -> None:
        path = self.folder / block.title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._here(block.text), encoding="utf-8")

    def _script(self, block: Block) -> None:
        done = self._run([sys.executable, "-c", self._here(block.text)])
        self.written = self._there(done.stdout)
        if done.returncode != 0:
            raise Failure(f"{self.page.place(block.line)}: the script fails:\n{done.stdout}")

    def _compare_output(self, block: Block) -> None:
        if not matches(tuple(block.text.splitlines()), self.written):
            raise Failure(f"{self.page.place(block.line)}: the script wrote:\n{self.written}")

    def _step(self, step: Step) -> None:
        if step.command == "echo $?":
            self.failed = None
            self._expect(step, f"{self.exit_code}\n")
            return
        self._refuse_failed()
        if step.command.startswith("cd "):
            self.folder = (self.folder / step.command.removeprefix("cd ")).resolve()
        elif step.command.startswith("export "):
            assignments = shlex.split(self._here(step.command.removeprefix("export ")))
            self.environ |= dict(each.split("=", 1) for each in assignments)
        elif step.in_background:
            self._start(step)
        else:
            self._command(step)

    def _command(self, step: Step) -> None:
        command = self._with_port(step.command)
        if step.is_question and shutil.which("curl") is None:
            command = command.replace("curl", shlex.join((sys.executable, str(CURL))), 1)
        argv = ["bash", "-c", command]
        done = self._run(argv)
        deadline = time.monotonic() + RELOAD_DEADLINE_S
        # A server that reloads is asked again until it has: readers type more slowly than we.
        while self._is_asked_again(step, done) and time.monotonic() < deadline:
            time.sleep(PAUSE_S)
            done = self._run(argv)
        self.exit_code = done.returncode
        output = self._there(done.stdout)
        self.failed = (step, output) if done.returncode else None
        if step.expected:
            self._expect(step, output)

    def _is_asked_again(self, step: Step, done: subprocess.CompletedProcess[str]) -> bool:
        """Return whether a server may not have been there yet: also for a script of the page."""
        is_script = re.match(r"python (?!manage\.py)\w+\.py\b", step.command) is not None
        has_failed = is_script and bool(self.background) and done.returncode != 0
        return (step.is_question or has_failed) and not self._fits(step, done)

    def _fits(self, step: Step, done: subprocess.CompletedProcess[str]) -> bool:
        return matches(step.expected, self._there(done.stdout))

    def _start(self, step: Step) -> None:
        command = self._with_port(step.command.removesuffix("&").strip())
        environ = EVERY_COMMAND | self.environ
        arguments, variables = arguments_of_python(["bash", "-c", command])
        if arguments:
            argv = [sys.executable, *arguments]
            process = start(argv, cwd=self.folder, env=environ | variables)
        else:  # without a shell in between, so that the program itself is what is ended
            process = start_anew(["bash", "-c", f"exec {command}"], cwd=self.folder, env=environ)
        self.stack.callback(process.close)
        self.background.append((step, process))

        def written() -> bool:
            if matches(step.expected, self._there(process.output), only_beginning=True):
                return True
            if not process.alive:
                raise self._failure(step, f"it ended: {self._there(str(process))}")
            return False

        try:
            wait_until(written, deadline_s=DEADLINE_S, describe=process)
        except AssertionError as error:
            raise self._failure(step, self._there(str(error))) from None

    def _run(self, argv: list[str]) -> subprocess.CompletedProcess[str]:
        # Both streams in one, in the order in which a terminal shows them.
        environ = clean_environment() | EVERY_COMMAND | self.environ
        arguments, variables = arguments_of_python(argv)
        if arguments:
            return python(
                arguments,
                cwd=self.folder,
                env=environ | variables,
                deadline_s=DEADLINE_S,
                together=True,
            )
        return subprocess.run(
            argv,
            cwd=self.folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    def _expect(self, step: Step, output: str) -> None:
        if not matches(step.expected, output):
            wanted = "\n".join(step.expected)
            raise self._failure(step, f"the page says:\n{wanted}\nit wrote:\n{output}")

    def _refuse_failed(self) -> None:
        """A command may only fail when the page shows its exit code."""
        if self.failed:
            step, output = self.failed
            raise self._failure(step, f"exit code {self.exit_code}:\n{output}")

    def _failure(self, step: Step, problem: str) -> Failure:
        return Failure(f"{self.page.place(step.line)}: {step.command}\n{problem}")

    def _with_port(self, command: str) -> str:
        if re.search(r"\brunserver\b", command) and not _HAS_PORT.search(command):
            command = re.sub(r"\brunserver\b", f"runserver {self.port}", command)
        return self._here(command)

    def _here(self, text: str) -> str:
        for address, here in self.addresses.items():
            text = text.replace(address, here)
        for port, here in self.ports.items():
            text = re.sub(rf"\b{port}\b", here, text)
        return text

    def _there(self, text: str) -> str:
        """What a reader would see: the page's port, and a folder of nobody's."""
        for address, here in self.addresses.items():
            text = text.replace(here, address)
        for port, here in self.ports.items():
            text = re.sub(rf"\b{here}\b", port, text)
        return text.replace(f"{self.folder.resolve()}/", "")
